"""Background work: pruning, deliveries, the key schedule, and the check whether the clock can be trusted."""
