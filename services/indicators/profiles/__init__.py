"""School-year profiles: what is known of a school's pupils, families, staff and equipment in a year.

Attributes are data: a region adopts the shipped catalogue and adds its own; one that is no longer
asked is retired, not deleted. A cell of a profile is a value (zero is one), not applicable, or not
submitted, and names its source. The region writes profiles; a municipality and a school read their
own: what enters a list with legal weight is what the region has taken over, by file or by hand.
Source: methodology A14 (Contingent, Staff, Resources), A3 (20 to 27), A4 (7, sources), B3.
"""
