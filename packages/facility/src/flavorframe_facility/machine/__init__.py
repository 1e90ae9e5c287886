"""The facility on one machine: its programs, the accounts of its users, and their limits."""
