"""What users do with their own account: use cases, one transaction each, committed when they return."""
