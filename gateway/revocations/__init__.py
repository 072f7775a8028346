"""Access tokens that are dead before their time: of one session, or all that one subject was given.

Written in the transaction of the cause (a block, a logout, a new password, a scope taken away), seen by
every process of the gateway within a second. A token lives for minutes, so a revocation need not be
remembered for longer. Source: threats, cases 8 and 11; RFC 7009, 2.
"""
