"""Plumbing of every service: HTTP, SQL, tokens, time. It has never heard of a school.

Something is admitted here when at least two services use it today, when it can be explained to
someone who does not know what the programme is, and when it has tests of its own in tests/kit.
One stated exception: `principals` and `reach` name the territory levels, because the token is the
one contract that all services share and it names them.
"""
