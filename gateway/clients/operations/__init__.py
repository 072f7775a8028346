"""Changes of machine clients: being registered and edited, secrets, public keys."""
