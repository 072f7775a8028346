"""What indicators keep of the registry: territory, schools, curators' grants; fed by its feed.

The registry owns the truth. With this copy the service works on while the registry is away, and
located rows carry their territory physically.
"""
