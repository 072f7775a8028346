"""The door of Opora: who comes in, with which token, and to which service the request goes.

Owns people's accounts, machine clients, signing keys, refresh tokens, the routing table and the
merged contract. Refuses every business rule and every answer composed from several services: a
request for a service is passed on byte for byte, and the service verifies the token itself. The
gateway is a door, not the lock.
"""
