"""Clusters of the cluster approach: groups of a run's schools by territory, profile of risks and size.

A cluster is what its members share: the dimensions are data, their values are read and never estimated. A
school of which a value is not known is left out with the reason; groups too small to speak of are put
together. Flags, categories and indices are those that the run has frozen; whether a school is rural and how
many pupils it has is read from its card and its profile, so nothing is stored and the answer is made when
it is asked for.

Source: methodology A4 (5): "территориальная расположенность, рисковые профили, комплектность"; sizes below
40 and up to 100 pupils are Vologda's; how many schools make a cluster, no document says: a setting of Opora.
"""
