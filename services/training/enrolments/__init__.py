"""An enrolment: a school takes a number of places of a course. People by name come with the roster.

A school enrols once in a course; it changes the number of its people or withdraws. Withdrawal keeps
the row. Source: Vologda 2019, KPI 6 (people of every school).
"""
