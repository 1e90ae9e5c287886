"""What expressions and users' functions are known by."""
