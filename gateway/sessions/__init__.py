"""Sessions of people: which logins go on, on which device, and how each is ended.

A session begins with a login, goes on with refresh tokens and ends with the person's own word, an
administrator's, or a change of the account (blocked, reset, another password). Ending it kills its
access tokens at the gateway within a second (gateway/revocations) and its refresh token at once. Of the
device only the kind is kept, of the address only the network: enough to recognise a stranger, too
little to follow a person. Source: OWASP ASVS 7.5; issue 3, point 1.
"""
