"""Statements with the verdicts that a real Citus gives on them: corpus.py says how they are written down."""
