"""Опора: показатели. Procedures and scales, imports of results, indices, identification.

Owns: what was measured (procedures, scales, participant-level results under pseudonyms), what
follows from it (rollups per school, indices, identification runs) and the methodology packs that
say how. Refuses: forms and waves (monitoring), people and courses (training), the truth about
schools (registry; only a projection of it is kept here).
"""
