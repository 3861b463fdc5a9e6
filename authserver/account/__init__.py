"""What people do to their own account: use cases, one transaction each, committed when they return."""
