"""Opora's registry: what exists, where it belongs, and who takes part.

Owns regions, municipalities, schools with their history, sizes and predecessors, programme years,
participation of schools, and the dated grants of curators. Every other service keeps a projection
of it, fed by its change feed; ids of regions, municipalities and schools are issued here.

Refuses results of exams, indicators, forms and people: no personal data is kept here. A curator is
known only as the subject of its account.

Source documents: the seeds' lists of schools (methodology A6, A12, A14), identifiers of
methodology B7.
"""
