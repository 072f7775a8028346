"""Machine clients: РИС ГИА, a municipal system, a school's journal, a script of the region's own.

A client has a node of the territory and scopes; a token carries them and each service still takes
only what it lets machines do at all. Whoever makes a client puts it at its own node or below, and
gives it no more than people of that node hold (gateway/roles.py, `MACHINE_SCOPES`).

It is made without a means to prove itself. Secrets are issued separately, shown once, stored as
hashes; the next one leaves the former working for an overlap. A client that registers public keys
proves itself by signing instead, and can be held to that. Source: design 4; issue 3, part 1; RFC
7523; threats 6 and 12; docs/decisions/0017.
"""
