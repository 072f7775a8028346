"""From live rows to frozen inputs and back: what a run reads once and every answer follows from."""
