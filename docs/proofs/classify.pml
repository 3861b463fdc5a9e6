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

#ifndef RETRY_WINDOW /* W, 60 s, in ticks: two, so that things happen at its start, inside it and after it */
#define RETRY_WINDOW 2
#endif
#ifndef MARGIN /* M, 10 s, in ticks: by how much a family rests longer than the retry window */
#define MARGIN 1
#endif
#ifndef LONGEST_LAG /* ticks between what a request read from a clock and the time of its last statement */
#define LONGEST_LAG 0
#endif
#ifndef LATE_RETRY_WINDOW /* 24 h, in ticks: long enough for the window that a late retry opens to pass inside it */
#define LATE_RETRY_WINDOW 5
#endif

#define NO_MARK 0 /* none, or too old to matter */

/* rests_until, told by the age of what wrote it: now - (rests_until - W - M). NO_REST: it is NULL, or long past. */
#define NO_REST (RETRY_WINDOW + MARGIN + LONGEST_LAG)

/* refresh_token_families in authserver/storage/schema/sessions.py */
typedef Row {
	bool ended;             /* ended_at is set */
	byte age;               /* now - rotated_at; capped where nothing tells the difference */
	byte rest_age = NO_REST;
	byte mark               /* late_retry_generation: the PREDECESSOR, the one before it (OLDER), or NO_MARK */
};
Row row;

mtype = { ROTATABLE, RESTING, RETRY, LATE_RETRY, OVERTAKEN, REUSED, LAPSED, REVOKED };

/* Part of the statement, too: rests_until <= now. */
#ifdef REST_FROM_ROTATION /* SEEDED: the rest is counted from the rotation, also after a late retry */
#define resting(behind) (row.rest_age < NO_REST && row.age - (behind) < RETRY_WINDOW + MARGIN)
#else
#define resting(behind) (row.rest_age - (behind) < RETRY_WINDOW + MARGIN)
#endif
#ifdef MARGIN_FORGOTTEN /* SEEDED: the predecessor is a retry for as long as the family rests */
#define in_retry_window(behind) resting(behind)
#else
#define in_retry_window(behind) (row.rest_age - (behind) < RETRY_WINDOW)
#endif
#ifdef NO_OVERTAKEN /* SEEDED: a request that the server delayed is taken for reuse */
#define overtaken(behind) false
#else
#define overtaken(behind) (row.age - (behind) < 0)
#endif

/* Rules 3, 7, 10 and 11 of decision 0002, in their order. `behind`: how long ago the request read the clock. */
inline classify(place, behind, verdict)
{
#ifdef GRACE_AFTER_END /* SEEDED: a grace path that resurrects an ended family */
	if :: row.ended && place != PREDECESSOR -> verdict = REVOKED :: else ->
#else
	if :: row.ended -> verdict = REVOKED :: else ->
#endif
#ifdef WINDOW_NOT_TIED /* SEEDED: who is in time is answered, although the successor has been used */
	if :: place == OLDER && row.age - behind >= RETRY_WINDOW -> verdict = REUSED :: else ->
#else
	if :: place == OLDER -> verdict = (overtaken(behind) -> OVERTAKEN : REUSED) :: else ->
#endif
	if :: place == CURRENT -> verdict = (resting(behind) -> RESTING : ROTATABLE) :: else ->
	/* _classify_predecessor */
	if :: in_retry_window(behind) -> verdict = RETRY :: else ->
	if :: row.mark == PREDECESSOR -> verdict = LAPSED :: else ->
	if :: LATE_RETRY_WINDOW == 0 || row.age - behind >= LATE_RETRY_WINDOW -> verdict = LAPSED :: else ->
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
	int ended, place, mark, age, rest_age, lag;
	mtype verdict;
	for (ended : 0 .. 1) {
	for (place : CURRENT .. OLDER) {
	for (mark : NO_MARK .. OLDER) {
	for (age : 0 .. LATE_RETRY_WINDOW + 1) {
	for (rest_age : 0 .. NO_REST) {
	for (lag : 0 .. LONGEST_LAG) {
		row.ended = ended; row.mark = mark; row.age = age; row.rest_age = rest_age;
		classify(place, lag, verdict);
		printf("case %d %d %d %d %d %d %e\n", ended, place, mark, age, rest_age, lag, verdict)
	}}}}}}
}
#endif
