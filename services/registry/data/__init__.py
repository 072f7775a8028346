"""Data files of the registry: layouts of tables that can be imported."""
