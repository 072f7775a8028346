"""How often one caller or one source may ask, counted over all processes of the gateway.

Every request is judged by a bucket in the memory of its process, in microseconds. Each process sends
what it has let through to PostgreSQL some times a second, all buckets in one statement, and learns
the level that all processes filled together (decision 0019). Without PostgreSQL each process goes on
with what it knows: a limiter must not be the reason for an outage.
"""
