"""Random statements that read: what is added to them must not change what comes out.

schema.py has the tables and their rows, grammar.py makes the statements; tests/e2e/test_reads.py runs them.
"""
