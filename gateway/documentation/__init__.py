"""The documentation page of the API: Swagger UI over the merged contract, at /api/docs.

Its files come from a pinned wheel and from this folder and are served by the gateway itself: an
installation without the internet has its documentation, and the page runs no script of anybody else.
"""
