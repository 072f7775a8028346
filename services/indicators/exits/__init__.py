"""Leaving the list: for every school that was ever in it, whether it stays, is watched, left or returned.

Nothing of it is stored: it follows from the published lists in the order of their years (the last
published list of each year) and, where a run that is not published is asked about, from its answers on
top, by the rule of that run's methodology (`exit`). So it is the same whenever it is asked, and each
school's years are told with the run that each answer comes from.

Only low results count: a school that is listed for other signs alone is not followed here. Leaving by
this rule is advice about support; a publication still makes exactly the listed schools participants.

Source: peers 36 (fair exit, watch period, relapse); design 6.
"""
