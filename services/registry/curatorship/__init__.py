"""Curatorship: which account watches over which school, from when to when.

A grant is dated and revocable and never edited: row level security of every service reads it, so a
revoked curator stops seeing the school here at once and elsewhere as soon as the feed arrives. The
curator is the subject of an account; people live in the gateway and in training. Source:
methodology A12 (куратор ведёт 2-3 школы); design, section 4.
"""
