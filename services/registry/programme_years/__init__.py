"""Programme years: the school years in which a region runs its support programme.

A year may have a window in which schools join by hand; a published identification opens its year by
itself. Source: methodology A11, A12.
"""
