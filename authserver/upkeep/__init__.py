"""What happens unasked: pruning, sending the outbox, key schedule, and whether the clock can be trusted."""
