"""The journeys share one running system (tests/conftest.py); each makes a region of its own."""
