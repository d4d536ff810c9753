"""The rules of the house, read from its own source: floors, sizes, registers, purity, names, words, pages.

Rule: nothing of ours is run here that can be read instead; the whole folder takes a few seconds.
"""
