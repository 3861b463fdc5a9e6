/*
 * (c) What is known of the owner without a thief: their storage, the answers under way, and the bound that their
 * requests keep to. The server sees none of it. Part of rotation.pml. LIMIT takes an assumption away, to show that it is needed.
 */

byte stored = CURRENT;     /* the token in the storage that all tabs share */
bool put_back;             /* an answer that was overtaken put it there: nobody waits for an answer or knows */
byte answers;              /* set: the tokens in answers under way to them, given in this tick */
byte answers_before;       /* ... and in the tick before */
byte came_late = NO_MARK;  /* when they last showed a predecessor after the bound, told as row.mark is */
bool late_answered;        /* ... and that was answered */

/* Ticks since the exchange of the PREDECESSOR, and of the youngest OLDER one, or since its late retry was answered. */
byte since_exchange = RETRY_WINDOW + LONGEST_LAG;
byte since_exchange_older = RETRY_WINDOW + LONGEST_LAG;

/* The bound: a request arrives within W of its token's exchange, by the clocks of the nodes. */
#define in_bound(place, behind) (place == CURRENT || \
	(place == PREDECESSOR && since_exchange - (behind) < RETRY_WINDOW) || \
	(place == OLDER && since_exchange_older - (behind) < RETRY_WINDOW))

/* Waking up: the answer was lost, the storage is behind and the device slept. All that it sends then is late, within
 * 24 h, until one of it is answered; and not in two consecutive generations. */
#ifdef LATE_TWICE_RUNNING /* LIMIT: late in two consecutive generations */
#define may_be_late (!late_answered)
#else
#define may_be_late (came_late != OLDER && !late_answered)
#endif
#define wakes_up(place, behind) (place == PREDECESSOR && stored == PREDECESSOR && !put_back && may_be_late && asleep && \
	since_rotation - (behind) < LATE_RETRY_WINDOW)

/* Where messages and stalls take longer than the margin, nothing from before the sleep is on its way any more. */
#if defined(SLOW_ANSWERS) || LONGEST_LAG > MARGIN
#define asleep (!answers && !answers_before && \
	!handling[0].in_time && !handling[1].in_time && !handling[HANDLERS - 1].in_time)
#else
#define asleep true
#endif

/* Whose storage was put back does not know of it, and comes when they like. */
#define unaware(place) (put_back && stored == place)

#ifdef STRAGGLERS /* LIMIT: a request arrives later than that */
#define may_arrive(place, behind) true
#else
#define may_arrive(place, behind) (in_bound(place, behind) || wakes_up(place, behind) || unaware(place))
#endif

inline note_arrival()
{
	if
	:: in_bound(me.shown, me.lag) -> me.in_time = true
	:: !in_bound(me.shown, me.lag) && me.shown == PREDECESSOR -> came_late = PREDECESSOR
	:: else
	fi
}

inline late_retry_answered()
{
	late_answered = true; since_exchange = me.lag
}

/* The generation was exchanged. */
inline owner_falls_behind()
{
	stored = (stored < OLDER -> stored + 1 : OLDER);
	answers = one_older(answers); answers_before = one_older(answers_before);
	came_late = (came_late == PREDECESSOR -> OLDER : NO_MARK); late_answered = false;
	since_exchange_older = since_exchange; since_exchange = me.lag
}

inline owner_grows_older()
{
	grow(since_exchange, RETRY_WINDOW + LONGEST_LAG);
	grow(since_exchange_older, RETRY_WINDOW + LONGEST_LAG);
#ifdef SLOW_ANSWERS /* LIMIT: an answer is under way for longer than the margin, up to W after its token's exchange */
	answers_before = (answers | answers_before) & (only(CURRENT) | (in_bound(PREDECESSOR, 0) -> only(PREDECESSOR) : 0));
#else
	answers_before = answers;
#endif
	answers = 0
}
