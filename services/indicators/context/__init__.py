"""The context of schools: indices over their profiles, and results adjusted for them.

A definition (`documents`) is data: attributes, weights, directions, method. It is a part of a
methodology or is sent by itself; each answer carries its components, weights, n, missing shares and
the hash of the definition. No document of the programme gives the weights of the index of social
well-being, the bounds of the staff index or the norms of equipment: the shipped definitions have equal
weights and are settings of Opora. Source: methodology A2 (9, 10), B3, B5, B9.
"""
