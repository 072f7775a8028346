"""People's accounts: a login, one role, one node of the territory.

Administration is delegated down the tree: whoever appoints, appoints only below itself, and the node
must lie inside its own (gateway/roles.py, `MAY_APPOINT`). Made without a password, an account waits for
its person, who sets one with an invitation (gateway/credentials). Role and node never change: somebody
with another job gets another account. An account is blocked, and when the person has left erased, but
never deleted: what it did stays attributed to its number. Source: issue 2, part 3; issue 3, point 1;
design 4.
"""
