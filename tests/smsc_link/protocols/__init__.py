"""Tests of the protocols towards operators: what a link makes of their operations, and they of its messages."""
