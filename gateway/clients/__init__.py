"""Machine clients of a region: РИС ГИА, a municipal system, a script of the region's own.

A client has a node of the territory and scopes; a token carries them and each service still takes
only what it lets machines do at all. It is made without a secret: a secret is issued separately,
shown once, stored as a hash, and replaced by issuing the next. Source: design 4; issue 2, part 3.
"""
