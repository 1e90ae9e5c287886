"""Runs that go on without the process that started them."""
