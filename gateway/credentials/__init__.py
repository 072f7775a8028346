"""What people do with their own passwords: set the first one with an invitation, change it later.

An administrator never needs to know a password: an account is made without one, a one-time code goes to
the person, and the person sets the password; a reset is the same after the old password was made void.
Source: issue 3, point 1; NIST SP 800-63B, 3.1.1 and 4.2; OWASP Forgot Password Cheat Sheet.
"""
