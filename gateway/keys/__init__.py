"""Signing keys of access tokens: one signs, the next is already published, the retired still verify.

A key is `next` from the day it is published, `current` while it signs, then `retired`: its public half
stays published until the last token it signed is over. A `next` is always there, known to every
service, so that a key whose secret is out can be `revoked` at once without a pause in issuing.

Private halves are stored sealed, and wiped when a key stops signing; the database alone, or its backup,
signs nothing. Source: RFC 7517; threats, cases 14 and 80.
"""
