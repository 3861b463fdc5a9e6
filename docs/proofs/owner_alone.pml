/*
 * (c) An owner without a thief is never logged out, if ...: the owner with all his tabs, and what is assumed of him and
 * of his network. Part of rotation.pml. LIMIT takes an assumption away, to show that it is needed.
 */

#ifdef STRAGGLERS /* LIMIT: the successor is used while another request with its predecessor is under way */
#define may_use_it true
#else /* when a successor is first used, nothing about its predecessor is under way any more */
#define may_use_it (stored != CURRENT || (!(may_show[OWNER] & ~only(CURRENT)) && !answers && at_work == 0))
#endif

active proctype Owner()
{
	byte it;
	do
	:: atomic { !has(may_show[OWNER], stored) && may_use_it -> may_show[OWNER] = may_show[OWNER] | only(stored) }
	:: atomic { pick(it, answers); stored = it; it = 0 } /* a cookie jar keeps what came last */
	/* Lost, or arrived for the last time. */
	:: atomic { pick(it, may_show[OWNER]); may_show[OWNER] = may_show[OWNER] & ~only(it); it = 0 }
	:: atomic { pick(it, answers); answers = answers & ~only(it); it = 0 }
	od
}

/* Whoever may still show the predecessor does so inside the windows: 60 s any number of times; 24 h once, then again
 * within 60 s, and not in two consecutive generations. */
#define within(age, window) (age + 1 < window)
#ifdef LATE_TWICE_RUNNING /* LIMIT: late in two consecutive generations */
#define may_be_late (came_late != PREDECESSOR)
#else
#define may_be_late (came_late == NO_MARK)
#endif
#define late_again (came_late == PREDECESSOR && within(since_came_late, RETRY_WINDOW))
#define late_in_time ((within(since_rotation, LATE_RETRY_WINDOW) && may_be_late) || late_again)
#define time_may_pass (within(since_rotation, RETRY_WINDOW) || late_in_time || \
	!(stored == PREDECESSOR || has(may_show[OWNER], PREDECESSOR)))
