"""Signing keys of access tokens: one signs, the next is already published, the retired still verify.

Private halves are stored sealed; the database alone, or its backup, signs nothing. Source: RFC 7517;
threats, cases 14 and 80.
"""
