"""What happens to external logins: linking a person, sending a browser away, taking it back."""
