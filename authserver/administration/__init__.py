"""What operators and support do to users and to the database: use cases, one transaction each; acts are recorded."""
