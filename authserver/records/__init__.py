"""Stored records as frozen values, and the pure rules on a single record. No SQL, no clock."""
