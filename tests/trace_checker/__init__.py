"""A second opinion: code that shares nothing with the service reads a printed trace and decides anew."""
