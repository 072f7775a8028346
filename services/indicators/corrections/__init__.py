"""Corrections: cells whose numbers an accepted appeal has replaced, for the runs that come after.

A correction is the outcome of an appeal and outlives it. It never touches imported results: a later run
lays it over what it counts and keeps the counted beside. It is bound to the counts as they were when the
appeal was filed: where those counts have changed since (a later import, another scale), nobody has
decided about the new ones, so the correction is not applied and the run says so.

Source: design 6 (a correction after an appeal is a new version), peers 7.
"""
