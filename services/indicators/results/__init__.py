"""Participant-level results of one procedure: imported in two stages, kept as versions, rolled up.

An import is created, gets its files, is checked as a whole, and is committed by a person or a
client. Names, birth dates and documents are dropped and the participant's code becomes a keyed
pseudonym while the upload streams in (`intake`), so the original is kept nowhere: its hash, size
and row numbers are. Sources of the file layouts: `data/layouts`.
"""
