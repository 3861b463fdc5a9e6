"""What is written to people. Decides neither whom to tell nor what a link does, and sends nothing itself."""
