"""Linting: what is wrong, doubtful or could be better in a document of a methodology.

Errors keep a document from becoming a version; warnings stay with the version; advice is advice. What
a document says of itself is read without a database; what the region has beside it comes as
`Surroundings`.

Source: decision 0025.
"""
