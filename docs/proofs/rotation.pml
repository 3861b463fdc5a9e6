/*
 * Rotation of refresh tokens: one family, its owner, a thief, a network that promises nothing, and the server.
 *
 * Mirrors design section 4, decision 0002, authserver/grants/refresh_token.py and refusal.py, and rotate in
 * authserver/storage/families.py. What is proven, and what is left out: README.md. Checked by tests/proofs.
 *
 * Three worlds: by default a thief, a bad network and a sign-out at any moment; with -DFOREVER the same without the
 * sign-out, for runs that never end; with -DOWNER_ALONE an owner who keeps to the assumptions of (c).
 * SEEDED marks bugs that the checks must find; LIMIT takes an assumption away, to show that it is needed.
 */

#include "classify.pml"

#ifndef HANDLERS /* requests that the server works on at once: two tabs, or owner and thief; at most 3 */
#define HANDLERS 2
#endif
#ifndef LONGEST_STALL /* ticks that one may lose between its look at the clock and its last statement */
#define LONGEST_STALL 0
#endif

/* A set of tokens: one bit for each place behind the row. */
#define only(place)         (1 << (place))
#define has(tokens, place)  ((tokens >> (place)) & 1)
#define one_older(tokens)   (((tokens << 1) | (tokens & only(OLDER))) & 7)

/* ---- who holds what ---------------------------------------------------------------------------------------------- */

#define OWNER 0
#define THIEF 1

/* Sets: the tokens that may come in from OWNER, from THIEF. Beside a thief the network is as bad as can be: any request
 * or answer is lost, late, repeated or overtaken, for ever. Then what may come in is whatever one was ever given. */
byte may_show[2] = { 1, 0 };

#ifdef OWNER_ALONE /* Here may_show[OWNER] are his requests under way. */
byte stored = CURRENT;     /* the token in his storage, which all his tabs share */
byte answers;              /* set: the successors in answers under way to him */
byte came_late = NO_MARK;  /* when he last showed a predecessor after the retry window, told as row.mark is */
byte since_came_late;
#endif

typedef Handling {         /* a request that the server works on */
	bit by;            /* OWNER or THIEF */
	byte shown;        /* the token presented */
	bool busy;
	byte stalled       /* ticks since the clock was read */
};
Handling handling[HANDLERS];
byte at_work;              /* how many are busy */

/* ---- what the checks watch; the server sees none of it ----------------------------------------------------------- */

bool over;                 /* the family has ended, or should have */
byte since_rotation;       /* row.age, whatever the server does to its row */
byte served;               /* set: OWNER, THIEF, once they were given the current generation */
bool shared_late;          /* both were, and the second later than 60 s */
bool shared_late_before;   /* the same of the generation before */

#ifdef FOREVER
#define noted
#else
#define noted hidden
#endif
#define TICK 2
noted byte latest;         /* whose request came last: OWNER, THIEF; or TICK, when time has passed since */
noted byte followed;       /* ... and it was answered within 60 s, as the other's had been: the stated residual */

/* ---- the server: grants/refresh_token.py, grants/refusal.py ------------------------------------------------------ */

#define me handling[_pid]  /* handlers are the first processes */

/* Some token of the set; waits while there is none. */
inline pick(token, tokens)
{
	if
	:: has(tokens, CURRENT) -> token = CURRENT
	:: has(tokens, PREDECESSOR) -> token = PREDECESSOR
	:: has(tokens, OLDER) -> token = OLDER
	fi
}

/* The row is one generation further: whatever anybody holds lies further behind. */
inline advance_generation()
{
	may_show[OWNER] = one_older(may_show[OWNER]); may_show[THIEF] = one_older(may_show[THIEF]);
	for (i : 0 .. HANDLERS - 1) {
		handling[i].shown = handling[i].shown + (handling[i].busy && handling[i].shown < OLDER)
	}
	i = 0;
	row.mark = (row.mark == PREDECESSOR -> OLDER : NO_MARK); row.mark_age = 0;
	shared_late_before = shared_late; shared_late = false; served = 0;
	since_rotation = me.stalled;
#ifdef OWNER_ALONE
	stored = (stored < OLDER -> stored + 1 : OLDER); answers = one_older(answers);
	came_late = (came_late == PREDECESSOR -> OLDER : NO_MARK); since_came_late = 0
#endif
}

/* An answer with tokens. Its refresh token is always that of the row's generation (refusal._answer_again). */
inline give_successor()
{
	assert(!over);                                 /* (d) nothing is exchanged after the end */
	assert(me.shown == PREDECESSOR);               /* (a) a token has one successor, whoever shows it, how often ever */
	if
	:: has(served, 1 - me.by) && since_rotation - me.stalled < RETRY_WINDOW -> followed = true
	:: has(served, 1 - me.by) && since_rotation - me.stalled >= RETRY_WINDOW && !has(served, me.by) -> shared_late = true
	:: else
	fi;
	assert(!(shared_late && shared_late_before));  /* (b) two parties are told apart by the second generation */
	served = served | only(me.by);
#ifdef OWNER_ALONE
	answers = answers | only(CURRENT)
#else
	may_show[me.by] = may_show[me.by] | only(CURRENT)
#endif
}

/* families.rotate: SET generation = generation + 1, rotated_at = now. */
inline rotate()
{
	assert(me.shown == CURRENT);                   /* (a) no generation is exchanged twice: no fork */
	advance_generation();
	row.age = me.stalled;
	give_successor()
}

/* Retry: the same successor again; nothing changes. */
inline answer_again()
{
#ifdef RETRY_ROTATES /* SEEDED: a grace period in which the old token rotates once more */
	advance_generation(); row.age = me.stalled;
#endif
#ifdef SLIDING_WINDOW /* SEEDED: each retry opens the window anew */
	row.age = me.stalled;
#endif
	give_successor()
}

inline mark_late_retry()
{
	row.mark = PREDECESSOR; row.mark_age = me.stalled
}

/* revocation.end_family, or the event refresh_token_reused: they commit although the answer is an error. */
inline end_family()
{
#ifndef ROLLED_BACK /* SEEDED: the refusal is an exception, which takes the end back with it */
	row.ended = true;
#endif
	over = true
}

inline refuse()
{
#ifdef OWNER_ALONE
	assert(false)                                  /* (c) an owner without a thief is never refused */
#else
	skip
#endif
}

inline leave()
{
	d_step { me.by = 0; me.shown = 0; me.busy = false; me.stalled = 0; at_work--; verdict = 0 };
	goto arrival
}

#ifdef WHERE_FORGETS_END /* SEEDED: the statement does not ask whether the family has ended */
#define where (me.shown == CURRENT)
#else
#define where (me.shown == CURRENT && !row.ended)
#endif

/* One atomic block is one statement or one transaction. Between two of them anything may happen. */
active [HANDLERS] proctype Handler()
{
	mtype verdict;
	byte i;

arrival:
	atomic { /* `now` is read before the statement */
		if
		:: pick(me.shown, may_show[OWNER]); me.by = OWNER
		:: pick(me.shown, may_show[THIEF]); me.by = THIEF
		fi;
		me.busy = true; at_work++;
		latest = me.by; followed = false;
#ifdef OWNER_ALONE
		if
		:: me.shown == PREDECESSOR && since_rotation >= RETRY_WINDOW && came_late != PREDECESSOR ->
			came_late = PREDECESSOR; since_came_late = 0
		:: else
		fi
#endif
	}
#ifdef NO_CAS /* SEEDED: read, compare, then write */
	atomic { if :: where :: else -> goto cold fi }
	atomic { rotate(); leave() }
#endif
	atomic { /* Rotation.rotate: compare and set */
		if
		:: where -> rotate(); leave()
		:: else
		fi
	}
cold:
	atomic { /* settle: a look without a lock, which is enough where nothing will be written */
		classify(me.shown, me.stalled, verdict);
		if
		:: verdict == LATE_RETRY || verdict == REUSED || verdict == LAPSED
		:: verdict == RETRY -> answer_again(); leave()
		:: else -> refuse(); leave()
		fi
	}
	atomic { /* users.lock, find_for_update, classify again, _act, _answer */
#ifndef NO_SECOND_LOOK /* SEEDED: act on what was seen without the lock */
		classify(me.shown, me.stalled, verdict);
#endif
		if
		:: verdict == LATE_RETRY -> mark_late_retry(); give_successor()
		:: verdict == REUSED || verdict == LAPSED -> end_family(); refuse()
		:: verdict == RETRY -> answer_again()
		:: else -> refuse()
		fi;
		leave()
	}
}

#ifdef OWNER_ALONE
#include "owner_alone.pml"
#else
/* ---- the thief, and the end that comes from elsewhere ------------------------------------------------------------ */

bool thefts_over;

active proctype Thief()
{
	do /* copies all that the owner's client has, at any moment and as often as he likes */
	:: may_show[THIEF] = may_show[THIEF] | may_show[OWNER]
#ifdef FOREVER
	:: thefts_over = true; break
#endif
	od
}

#ifndef FOREVER
/* A credential event (design section 5) that has nothing to do with rotation, at any moment. */
active proctype CredentialEvent()
{
	atomic { row.ended = true; over = true }
}
#endif

#define time_may_pass true
#endif

/* ---- time -------------------------------------------------------------------------------------------------------- */

#define worn_out(h) (handling[h].busy && handling[h].stalled >= LONGEST_STALL)

inline grow(what, cap)
{
	what = (what < cap -> what + 1 : cap)
}

active proctype Clock()
{
	byte i;
	do
	:: atomic { time_may_pass && !worn_out(0) && !worn_out(1) && !worn_out(HANDLERS - 1) ->
		for (i : 0 .. HANDLERS - 1) { handling[i].stalled = handling[i].stalled + handling[i].busy }
		i = 0;
		grow(row.age, LATE_RETRY_WINDOW + LONGEST_STALL);
		grow(since_rotation, LATE_RETRY_WINDOW + LONGEST_STALL);
		if :: row.mark == PREDECESSOR -> grow(row.mark_age, RETRY_WINDOW + LONGEST_STALL) :: else fi;
#ifdef OWNER_ALONE
		if :: came_late == PREDECESSOR -> grow(since_came_late, RETRY_WINDOW) :: else fi;
#endif
		latest = TICK
	}
	od
}

#ifdef FOREVER
#include "forever.pml"
#endif
