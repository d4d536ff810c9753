"""Tests of the door to the operators. Run by pytest and by trial.

ends      a link with a pocket SMSC at its far end, joined in memory
virtual   the same under a virtual time
"""
