"""Objectivity: signs that results of a school need a check, found by five detectors, never a verdict.

A detection belongs to a region and a year. A job reads the stored results of the year's procedures,
asks the five detectors of every school with enough pupils, and keeps as signs what survives the control
of false alarms over all schools. Its life: computing -> computed (or refused, with the reason) ->
published, which opens it to the municipalities for their schools; or voided. Nothing of it changes
afterwards but what people write about a sign: confirmed by a check, explained, or withdrawn, with the
reason and the document. The newest detection of a year that is not voided is its current one.

The region sees everything, a municipality its schools after publication, schools and curators nothing:
row security says so, whatever the scopes say.

Source: methodology B4 (detectors O1 to O5, rules of sample size), A12 (the label "признаки"); design 4.
"""
