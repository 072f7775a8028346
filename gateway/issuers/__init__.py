"""External OpenID Connect issuers as they are reached over the network; no person is known here.

Where to go is said by the settings alone: an issuer's discovery document is believed about addresses
of the issuer's own origin, any other is written in the settings, and no redirect is followed. So no
caller, and no document that somebody slipped in, can send the gateway anywhere. Source: OpenID Connect
Discovery 1.0; RFC 8414; RFC 9700, 4.4; threats 15 and 38.
"""
