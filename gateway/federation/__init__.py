"""Logging in through an external OpenID Connect issuer (ЕСИА, a region's own Keycloak).

An administrator links a person's account to a subject of an issuer beforehand; a login finds that
link or nothing, and never makes an account. Everything about an issuer, its addresses first of all,
stands in the settings (gateway/issuers.py). The browser is sent away with a state that is known here
only by its hash, lives ten minutes, works once, and asks for the `login_verifier` that this browser
alone was given; what comes back is believed after the checks of gateway/federation/identity.py.
Source: OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207; RFC 9700, 2.1 and 4; threat 15;
docs/decisions/0017.
"""
