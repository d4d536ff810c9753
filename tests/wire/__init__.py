"""Machines without I/O: the mirror of wire/."""
