"""What happens to tokens: logging in, going on, ending, machines' access."""
