"""What monitoring uses of its neighbours, typed by what it uses."""
