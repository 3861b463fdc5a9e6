"""Support for the tests: a clock moved by hand, repeatable randomness, real databases, people, servers, faults."""
