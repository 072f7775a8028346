"""Changes of schools, split by verb: register and change one, write many, sizes, the network."""
