"""Tokens: who proves to be whom gets a short access token; people also a refresh token.

An access token lives five minutes and is signed with RS256; services verify it against the published
key set. A person's refresh token is used once: using it gives its successor, using it again ends the
whole session, unless the answer was lost and the successor is still unused (ten seconds). Machine
clients come back with their credentials instead. Source: RFC 6749, RFC 7009, RFC 9068, RFC 9700
4.14; issue 2, part 3; threats 1 to 16.
"""
