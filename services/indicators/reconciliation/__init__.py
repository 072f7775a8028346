"""Printed splits of former years, checked like an accountant's table.

A programme of a region prints how many schools were found, by which combination of flags and in which
municipality. Opora keeps such a split as the source fact, says what in it cannot be true and what the
other figures imply, and refuses an inconsistent one unless a person takes it as printed, with a reason.

Source: seed-arithmetic 1.1 to 1.3 (Vologda: 59 is not 63, 42.8 % implies 27, 64 is not 63), and its
rule: store the printed value, mark it inconsistent, say what the percentage implies.
"""
