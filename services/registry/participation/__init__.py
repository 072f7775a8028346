"""Participation: which school takes part in which programme year, why, and since which order.

A school takes part in a year once. It joins by a published identification, by an order, or by hand,
and may be withdrawn with a date and a reason. A later published identification of the same year
replaces an earlier one: schools that are no longer named are withdrawn, and every step stays in
`participation_event`. Source: methodology B1, B10; design, section 6.
"""
