"""A tiny service of the tests: notes about schools. It shows the kit without any domain."""
