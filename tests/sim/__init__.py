"""Tests of the pocket SMSC."""
