"""The differential oracle: random statements, the same ones directly and through the proxy.

schema says what the databases are; values, statements, changes and cases make the statements and the ways in which they
travel; pair runs them on both databases and compares; runner finds the first bad one; parallel runs it all; `run` is for
people.
"""
