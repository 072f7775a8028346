"""What indicators asks of other services, typed by us: one module per neighbour."""
