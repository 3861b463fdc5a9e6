"""What operators and support do to the accounts of others. One transaction each, each act recorded."""
