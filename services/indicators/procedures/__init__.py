"""Assessment procedures of a year (ВПР, ОГЭ, ЕГЭ, ГВЭ, РДР) and the scales of their subjects.

A procedure belongs to a region, a kind, a grade and a year; a scale says what a score of one
subject means: minimum, maximum, the bound of high results, mark borders, whether the subject is
taken by (almost) everybody. What the results may be used for is said with dates and a basis.

Source: methodology digest A1 (F1 to F5), B8.
"""
