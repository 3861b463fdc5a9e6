/*
 * (b) A family in which thief and owner both go on ends: the run that would refute it. Part of rotation.pml.
 *
 * Thefts come to an end, both go on showing tokens for ever, time passes, and the family does not end although, from
 * some day on, neither is answered within W of the other's rotation, nor while the family rests after it. (Not an ltl formula: spin needs minutes to translate three
 * times []<>.) LIMIT takes an assumption away, to show that it is needed.
 */

#if defined(FOLLOWING) /* LIMIT: the stated residual */
#define undetected  (thefts_over && !over)
#define again       followed
#elif defined(EVERY_OTHER_TIME) /* LIMIT: one follows in every other generation, and comes later in the rest */
#define undetected  (thefts_over && !over)
#define again       shared_late
#elif defined(STEALING_FOR_EVER) /* LIMIT: thefts do not come to an end */
#define undetected  (!over && !followed)
#define again       true
#else
#define undetected  (thefts_over && !over && !followed)
#define again       true
#endif

never
{
	do
	:: true
	:: undetected -> break
	od;
owner:	do :: undetected :: undetected && latest == OWNER -> break od;
thief:	do :: undetected :: undetected && latest == THIEF -> break od;
time:	do :: undetected :: undetected && latest == TICK -> break od;
more:	do :: undetected :: undetected && again -> break od;
accept:	undetected -> goto owner
}
