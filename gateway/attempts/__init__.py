"""Slowing down guesses: by the name that is guessed and by the source the guesses come from.

An attempt is counted before the secret is looked at, so that guesses sent at once are counted too.
All processes count together, in the database. Sessions that already run are never touched: guessing
cannot lock a person out of work. Source: threats, case 12; OWASP ASVS 6.3.1.
"""
