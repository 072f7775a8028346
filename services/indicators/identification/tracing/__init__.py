"""From the answer of one school back to its rules, counts, scales, files and rows, in numbers and words."""
