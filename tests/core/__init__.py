"""Tests of core: the words and the sums."""
