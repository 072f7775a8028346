"""Work that outlives a request: one module per job kind, each safe to run twice."""
