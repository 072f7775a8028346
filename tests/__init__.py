"""The tests; a regular package, because an installed distribution also brings a package `tests`."""
