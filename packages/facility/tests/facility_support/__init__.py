"""What the tests of the facility share: a facility and its users, a provider, charts, a browser."""
