"""People's accounts: a login, one role, one node of the territory.

Administration is delegated down the tree: whoever appoints, appoints only below itself, and the node
must lie inside its own (gateway/roles.py, `MAY_APPOINT`). An account is blocked, never deleted: what
it did stays attributed. Source: issue 2, part 3; design 4.
"""
