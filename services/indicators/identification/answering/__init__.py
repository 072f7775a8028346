"""From frozen inputs to the answer of every school, and the proof that it still is the answer."""
