/*
 * What a refresh token is worth that could not be exchanged: authserver/sessions/rotation.py, rule by rule.
 *
 * A token is known by how far it lies behind the row: CURRENT, its PREDECESSOR, or OLDER. The rules ask for no more, so
 * the model holds for any number of rotations, although its states are finite.
 *
 * By itself, with -DTABLE, this file prints the verdict on every case; the tests compare it with that of the Python.
 * SEEDED marks bugs that the checks must find.
 */

#define CURRENT     0
#define PREDECESSOR 1
#define OLDER       2

#ifndef RETRY_WINDOW /* 60 s, in ticks: two, so that things happen at its start, inside it and after it */
#define RETRY_WINDOW 2
#endif
#ifndef LATE_RETRY_WINDOW /* 24 h, in ticks: long enough for the window that a late retry opens to pass inside it */
#define LATE_RETRY_WINDOW 5
#endif

#define NO_MARK 0 /* none, or too old to matter */

/* refresh_token_families in authserver/storage/schema.py */
typedef Row {
	bool ended;    /* ended_at is set */
	byte age;      /* now - rotated_at; capped where nothing tells the difference */
	byte mark;     /* late_retry_generation: the PREDECESSOR, the one before it (OLDER), or NO_MARK */
	byte mark_age  /* now - late_retry_at; capped, too */
};
Row row;

mtype = { ROTATABLE, RETRY, LATE_RETRY, REUSED, LAPSED, REVOKED };

/* Rules 3, 7, 10 and 11 of decision 0002, in their order. `lag`: how long ago the request read the clock. */
inline classify(place, lag, verdict)
{
#ifdef GRACE_AFTER_END /* SEEDED: a grace path that resurrects an ended family */
	if :: row.ended && place != PREDECESSOR -> verdict = REVOKED :: else ->
#else
	if :: row.ended -> verdict = REVOKED :: else ->
#endif
#ifdef WINDOW_NOT_TIED /* SEEDED: who is in time is answered, although the successor has been used */
	if :: place == OLDER && row.age - lag >= RETRY_WINDOW -> verdict = REUSED :: else ->
#else
	if :: place == OLDER -> verdict = REUSED :: else ->
#endif
	if :: place == CURRENT -> verdict = ROTATABLE :: else ->
	/* _classify_predecessor */
	if :: row.age - lag < RETRY_WINDOW -> verdict = RETRY :: else ->
#ifdef NO_OWN_WINDOW /* SEEDED: the answer to a late retry must not be lost */
	if :: row.mark == PREDECESSOR -> verdict = LAPSED :: else ->
#else
	if :: row.mark == PREDECESSOR -> verdict = (row.mark_age - lag < RETRY_WINDOW -> RETRY : LAPSED) :: else ->
#endif
	if :: row.age - lag >= LATE_RETRY_WINDOW -> verdict = LAPSED :: else ->
#ifdef NO_CONSECUTIVE_RULE /* SEEDED: each generation has its late retry */
	if :: false :: else ->
#else
	if :: row.mark == OLDER -> verdict = REUSED :: else ->
#endif
	verdict = LATE_RETRY
	fi fi fi fi fi fi fi
}

#ifdef TABLE
init
{
	int ended, place, mark, age, mark_age, lag;
	mtype verdict;
	for (ended : 0 .. 1) {
	for (place : CURRENT .. OLDER) {
	for (mark : NO_MARK .. OLDER) {
	for (age : 0 .. LATE_RETRY_WINDOW + 1) {
	for (mark_age : 0 .. RETRY_WINDOW + 1) {
	for (lag : 0 .. 1) {
		row.ended = ended; row.mark = mark; row.age = age; row.mark_age = mark_age;
		classify(place, lag, verdict);
		printf("case %d %d %d %d %d %d %e\n", ended, place, mark, age, mark_age, lag, verdict)
	}}}}}}
}
#endif
