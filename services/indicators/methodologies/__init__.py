"""Methodologies of identification, as data.

A version of a methodology is a document: what a low result is, which procedures and subjects count,
how far a rule looks back, how small groups are treated, which flags and categories follow. Nothing of
it stands in code. A region takes a shipped document or sends its own; once a run has used a version,
the version can no longer be changed.

Source: methodology A4, B1, B5 and B10.
"""
