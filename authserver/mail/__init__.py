"""What is written to people, and its delivery from the outbox. Decides neither whom to tell nor what a link does."""
