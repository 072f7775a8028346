"""Training: courses for the people of the schools that take part, and who is enrolled.

It owns courses and enrolments; the roster of people, certificates, events, needs and the forecast
will stand here. It refuses anything about pupils. Sources: Smolensk 2018, Table 2 (A7); Vologda 2019,
"не менее 5 человек от каждой школы" (A10).
"""
