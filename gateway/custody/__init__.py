"""Custody of the signing keys: whoever runs the installation sees, changes and revokes them.

The keys themselves are in `gateway/keys`; only clients of the settings hold the scopes asked for here.
"""
