"""What is kept, as frozen values, and the pure rules on one of them. No SQL, no clock."""
