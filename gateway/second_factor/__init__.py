"""The second factor: a code of six digits that an app on the telephone shows for thirty seconds.

Demanded of the roles that the settings name, open to every person. Set up by scanning a secret and
proving one code; ten recovery codes are shown then, once. A code is accepted one step early or late and
never twice. Whose role demands a factor and who has none gets no token but a ticket, with which the
factor, and nothing else, can be set up. Source: RFC 6238; NIST SP 800-63B, 3.1.4; issue 3, point 1.
"""
