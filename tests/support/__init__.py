"""What the suite stands on: a clock moved by hand, repeatable randomness, real databases, a statement recorder."""
