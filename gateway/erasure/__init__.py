"""Erasure: what says who a former employee was goes, what the account did stays attributed.

The number of the account is a pseudonym then: audits go on to name it and nobody can say whose it was.
Login and name are overwritten, the password and the second factor go, devices and networks of the
sessions are forgotten; the login is closed for ever. An answer that was kept under an Idempotency-Key
may show the name until it is purged (a day). Source: threats, case 64; 152-ФЗ, статьи 5 и 21.
"""
