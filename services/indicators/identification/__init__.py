"""Identification of schools that need support: a run freezes its inputs and answers for each school.

A run belongs to a region, a year and a version of a methodology. Its life: computing -> draft (or
refused, with the reason) -> prepared by one person -> approved by another, with the order -> published,
which makes participations in the registry; or voided. Nothing of a run changes afterwards: a correction
is a new run. Rows are visible below the region only after publication. Participant rows are never read:
a run is made of the rollups that the imports keep.

Source: methodology A4, A6, B1, B5, B10; design 6.
"""
