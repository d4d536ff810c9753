"""The tests: the mirror of the tree, with stories in way/ and the house's own rules in house/ (house.md, section 11).

Rule: this is the first import of both runners, pytest and trial, so the reactor is chosen here.
"""

from plumbing.loop import install

install()
