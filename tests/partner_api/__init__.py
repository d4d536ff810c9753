"""Tests of the door to the partners."""
