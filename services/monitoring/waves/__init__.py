"""A wave: one round of monitoring, входной, промежуточный or итоговый, with the schools it expects.

It is planned with a roster, opened (the roster is frozen from then on) and closed. Who has not
answered can only be said against a frozen roster. Source: methodology A11; Smolensk promised three
waves and held two (seed-arithmetic 20), so a wave that did not happen stays visible as planned.
"""
