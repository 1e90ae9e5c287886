"""Login at the hub: with a password that a workshop shares, or by OpenID Connect."""
