/*
 * (c) An owner without a thief is never logged out, if ...: the owner with all their tabs. What is assumed of them and of
 * their network is in owner_state.pml. Part of rotation.pml.
 */

/* Some token of the set; waits while there is none. */
inline pick(token, tokens)
{
	if
	:: has(tokens, CURRENT) -> token = CURRENT
	:: has(tokens, PREDECESSOR) -> token = PREDECESSOR
	:: has(tokens, OLDER) -> token = OLDER
	fi
}

#ifdef COMPARE_AND_SET /* a client that keeps the new token only where the one that it sent still stands */
#define keeps(token) (stored == token + 1 || (stored == OLDER && token == OLDER))
#else /* a cookie jar keeps what came last */
#define keeps(token) true
#endif

inline keep(token)
{
	if
	:: keeps(token) ->
		put_back = (token > CURRENT && (put_back || token > stored)); stored = token
	:: else
	fi
}

active proctype Owner()
{
	byte it;
	do
	/* Any tab, any number of calls, whatever else is under way. */
	:: atomic { !has(may_show[OWNER], stored) -> may_show[OWNER] = may_show[OWNER] | only(stored) }
	:: atomic { pick(it, answers | answers_before); keep(it); it = 0 }
	/* Lost, or arrived for the last time. */
	:: atomic { pick(it, may_show[OWNER]); may_show[OWNER] = may_show[OWNER] & ~only(it); it = 0 }
	:: atomic { pick(it, answers); answers = answers & ~only(it); it = 0 }
	:: atomic { pick(it, answers_before); answers_before = answers_before & ~only(it); it = 0 }
	od
}

/* Whose answer was lost asks again: within W, or once after a sleep. Whose storage was put back does not know of it. */
#define within(age, window) (age + 1 < window)
#define time_may_pass (stored != PREDECESSOR || put_back || within(since_exchange, RETRY_WINDOW) || \
	(may_be_late && within(since_rotation, LATE_RETRY_WINDOW)))
