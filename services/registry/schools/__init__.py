"""Schools: what they are today, what they were, how large, and what became of them.

`school` holds today's state. The database itself writes every state into `school_state` with two
times: since when it was so (valid) and since when Opora knew (recorded), so «как было 1 сентября
2019» and «как мы это видели 1 марта» are both answerable. A school is never deleted: it closes, and
`succession` says into which school it went. A school that moves to another municipality takes all
its located rows along; the old municipality stops seeing them.

Source: methodology A12 and A14 (attributes), B7 (identifiers), B1 (adverse conditions, ФНСУ).
"""
