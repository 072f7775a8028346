"""A course (ДПП): a programme of professional development held once, with a number of places.

The region plans it. Taken places are counted by the database with every enrolment, so that two
schools can never take the last place both. Source: Smolensk 2018, Table 2: 8 programmes, 202 trained.
"""
