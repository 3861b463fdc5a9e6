/*
 * Rotation of refresh tokens: one family, its owner, a thief, a network that promises nothing, and the server.
 *
 * Mirrors design section 4, decision 0002, authserver/grants/refresh_token.py and refusal.py, and the statement in
 * authserver/storage/rotation.py. What is proven, and what is left out: README.md. Checked by tests/proofs.
 *
 * Three worlds: by default a thief, a bad network and a sign-out at any moment; with -DFOREVER the same without the
 * sign-out, for runs that never end; with -DOWNER_ALONE an owner who keeps to the assumptions of (c).
 * SEEDED marks bugs that the checks must find; LIMIT takes an assumption away, to show that it is needed.
 */

#include "classify.pml"

#ifndef HANDLERS /* requests that the server works on at once: two tabs, or owner and thief; at most 3 */
#define HANDLERS 2
#endif
#ifndef SKEW /* ticks by which the clock of a node may be behind; the rest of LONGEST_LAG is time lost in a stall */
#define SKEW 0
#endif

/* A set of tokens: one bit for each place behind the row. */
#define only(place)         (1 << (place))
#define has(tokens, place)  (((tokens) >> (place)) & 1)
#define one_older(tokens)   ((((tokens) << 1) | ((tokens) & only(OLDER))) & 7)

/* ---- who holds what ---------------------------------------------------------------------------------------------- */

#define OWNER 0
#define THIEF 1

/* Sets: the tokens that may come in from OWNER, from THIEF. Beside a thief the network is as bad as can be: any request
 * or answer is lost, late, repeated or overtaken, for ever. Then what may come in is whatever one was ever given. */
byte may_show[2] = { 1, 0 };

typedef Handling {         /* a request that the server works on */
	bit by;            /* OWNER or THIEF */
	byte shown;        /* the token presented */
	bool busy;
	bool in_time;      /* OWNER_ALONE: it came within the bound of (c) */
	byte lag           /* now - what it read from the clock of its node */
};
Handling handling[HANDLERS];
#define me handling[_pid]  /* handlers are the first processes */

#ifdef OWNER_ALONE /* Here may_show[OWNER] are their requests under way. */
#include "owner_state.pml"
#endif

#ifdef FOREVER
#define noted
#else
#define noted hidden
#endif

/* ---- what the checks watch; the server sees none of it ----------------------------------------------------------- */

bool over;                 /* the family has ended, or should have */
byte since_rotation;       /* row.age, whatever the server does to its row */
byte served;               /* set: OWNER, THIEF, once they were given the current generation for its predecessor */
noted byte rest_by;        /* who wrote rests_until */
bool shared_late;          /* both were, and the second later than 60 s */
bool shared_late_before;   /* the same of the generation before */

#define TICK 2
noted byte latest;         /* whose request came last: OWNER, THIEF; or TICK, when time has passed since */
noted byte followed;       /* ... and was answered close to the other's, without a mark: the stated residual */

/* ---- the server: grants/refresh_token.py, grants/refusal.py ------------------------------------------------------ */

/* A request of `who`, with a token that may come in from there, on a node whose clock is behind: alternatives of an if. */
#define arrives(who, behind) \
	   has(may_show[who], CURRENT) && may_arrive(CURRENT, behind) -> come(who, CURRENT, behind) \
	:: has(may_show[who], PREDECESSOR) && may_arrive(PREDECESSOR, behind) -> come(who, PREDECESSOR, behind) \
	:: has(may_show[who], OLDER) && may_arrive(OLDER, behind) -> come(who, OLDER, behind)
#define come(who, place, behind) me.by = who; me.shown = place; me.lag = behind
#ifndef OWNER_ALONE
#define may_arrive(place, behind) true
#endif

/* The row is one generation further: whatever anybody holds lies further behind. */
inline advance_generation()
{
	may_show[OWNER] = one_older(may_show[OWNER]); may_show[THIEF] = one_older(may_show[THIEF]);
	for (i : 0 .. HANDLERS - 1) {
		handling[i].shown = handling[i].shown + (handling[i].busy && handling[i].shown < OLDER)
	}
	i = 0;
	row.mark = (row.mark == PREDECESSOR -> OLDER : NO_MARK);
	shared_late_before = shared_late; shared_late = false; served = 0;
	since_rotation = me.lag;
#ifdef OWNER_ALONE
	owner_falls_behind()
#endif
}

/* rests_until = now + W + M, and NULL where W is 0. */
inline rest()
{
	row.rest_age = (RETRY_WINDOW > 0 -> me.lag : NO_REST); rest_by = me.by
}

/* An answer with tokens. Its refresh token is always that of the row's generation (refusal._answer_again). */
inline give_successor()
{
	assert(!over);                                 /* (d) nothing is exchanged after the end */
	assert(me.shown == PREDECESSOR);               /* (a) a token has one successor, whoever shows it, how often ever */
	if
	:: has(served, 1 - me.by) && since_rotation - me.lag < RETRY_WINDOW -> followed = true
	:: has(served, 1 - me.by) && since_rotation - me.lag >= RETRY_WINDOW && !has(served, me.by) -> shared_late = true
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

/* Rotation.rotate: SET generation = generation + 1, rotated_at = now, rests_until. */
inline rotate()
{
	assert(me.shown == CURRENT);                   /* (a) no generation is exchanged twice: no fork */
	advance_generation();
	row.age = me.lag; rest();
	give_successor()
}

/* Resting: the token shown and a fresh access token; nothing changes, and nobody is given a token that is new to them. */
inline answer_with_itself()
{
	assert(!over);                                 /* (d) */
	followed = (rest_by != me.by);
#ifdef RESTING_SETS_COOKIE /* SEEDED: the answer puts the token into the storage again */
	answers = answers | only(CURRENT)
#endif
}

/* Retry: the same successor again; nothing changes. */
inline answer_again()
{
#ifdef RETRY_ROTATES /* SEEDED: a grace period in which the old token rotates once more */
	advance_generation(); row.age = me.lag; rest();
#endif
#ifdef SLIDING_WINDOW /* SEEDED: each retry opens the window anew */
	rest();
#endif
	give_successor()
}

inline mark_late_retry()
{
	row.mark = PREDECESSOR;
#ifndef LATE_RETRY_RESTS_NOT /* SEEDED: only a rotation writes rests_until */
	rest();
#endif
#ifdef OWNER_ALONE
	late_retry_answered()
#endif
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

/* 503: nothing ends, and the client may ask again. */
inline refuse_for_now()
{
	assert(!me.in_time || LONGEST_LAG > MARGIN)    /* (c) not even this where clocks and stalls keep to the margin */
}

inline leave()
{
	d_step { me.by = 0; me.shown = 0; me.busy = false; me.in_time = false; me.lag = 0; verdict = 0 };
	goto arrival
}

#ifdef WHERE_FORGETS_END /* SEEDED: the statement does not ask whether the family has ended */
#define where (me.shown == CURRENT && !resting(me.lag))
#else
#ifdef WHERE_FORGETS_REST /* SEEDED: the statement does not ask whether the family rests: the rule of old */
#define where (me.shown == CURRENT && !row.ended)
#else
#define where (me.shown == CURRENT && !row.ended && !resting(me.lag))
#endif
#endif

/* One atomic block is one statement or one transaction. Between two of them anything may happen. */
active [HANDLERS] proctype Handler()
{
	mtype verdict;
	byte i;

arrival:
	atomic { /* `now` is read before the statement */
		if
		:: arrives(OWNER, 0)
#if SKEW > 0
		:: arrives(OWNER, SKEW)
#endif
#ifndef OWNER_ALONE
		:: arrives(THIEF, 0)
#if SKEW > 0
		:: arrives(THIEF, SKEW)
#endif
#endif
		fi;
		me.busy = true;
		latest = me.by; followed = false;
#ifdef OWNER_ALONE
		note_arrival()
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
		classify(me.shown, me.lag, verdict);
		if
		:: verdict == LATE_RETRY || verdict == REUSED || verdict == LAPSED
		:: verdict == RESTING -> answer_with_itself(); leave()
		:: verdict == RETRY -> answer_again(); leave()
		:: verdict == OVERTAKEN -> refuse_for_now(); leave()
		:: else -> refuse(); leave()
		fi
	}
	atomic { /* users.lock, find_for_update, classify again, _act, _answer */
#ifndef NO_SECOND_LOOK /* SEEDED: act on what was seen without the lock */
		classify(me.shown, me.lag, verdict);
#endif
		if
		:: verdict == LATE_RETRY -> mark_late_retry(); give_successor()
		:: verdict == REUSED || verdict == LAPSED -> end_family(); refuse()
		:: verdict == RETRY -> answer_again()
		:: verdict == OVERTAKEN -> refuse_for_now()
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
	do /* copies all that the owner's client has, at any moment and as often as they like */
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

#define worn_out(h) (handling[h].busy && handling[h].lag >= LONGEST_LAG)

inline grow(what, cap)
{
	what = (what < cap -> what + 1 : cap)
}

active proctype Clock()
{
	byte i;
	do
	:: atomic { time_may_pass && !worn_out(0) && !worn_out(1) && !worn_out(HANDLERS - 1) ->
		for (i : 0 .. HANDLERS - 1) { handling[i].lag = handling[i].lag + handling[i].busy }
		i = 0;
		grow(row.age, LATE_RETRY_WINDOW + LONGEST_LAG);
		grow(since_rotation, LATE_RETRY_WINDOW + LONGEST_LAG);
		grow(row.rest_age, NO_REST);
#ifdef OWNER_ALONE
		owner_grows_older();
#endif
		latest = TICK
	}
	od
}

#ifdef FOREVER
#include "forever.pml"
#endif
