"""The four services of Opora and the kit they share; each package says what it owns."""
