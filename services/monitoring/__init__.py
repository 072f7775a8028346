"""Monitoring: waves of diagnostics (входной, промежуточный, итоговый) and which schools they expect.

It owns waves and their rosters; forms, submissions, programmes, roadmaps and risks will stand here.
It refuses formulas: numbers are computed by indicators. Sources: Vologda 2019 (A11), Chistopol
2018-2020, Smolensk 2018.
"""
