"""Peers that are not ours, against our side of the wire: what we take for SMPP is what others take for it."""
