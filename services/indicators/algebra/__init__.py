"""The arithmetic of the methodology, exact and alone.

Nothing here knows of HTTP, of SQL or of the kit: integers and rationals come in, integers and
rationals go out. Floats are refused, because 0.05 of a maximum computed in binary can turn a
"below" into a "not below" (methodology A1, precision).
"""
