"""Precision: what the numbers of a school carry, and what they do not.

Three questions are answered, nothing is stored. How sure is each judgement of a run, and which schools a
single pupil would bring into the list or out of it? How small a change can be seen at all with so many
participants? Is a target reached, missed, or can these numbers not tell ("не различимо")?

Source: methodology B5 (intervals, shrinkage, decision classes), peers 3 and 4. Which probability of error
and which power are asked for, no document says: they are settings of Opora.
"""
