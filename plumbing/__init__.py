"""Pumps and threads: the reactor without any business.

loop           the event loop, installed once; spawn(), which keeps a task
conversation   a wire session with its owner, without the bytes' way; Address, Tls
pump           the same over a socket: the one Twisted protocol, connect, listen
pipe           the same in memory, for tests and the simulation
tls            how certificates are shown and trusted
clock          the machine's time
files          how many files may be open
networks       from which network somebody comes
crowd          connections of a door that speaks HTTP: counted, and in each other's way
threads        the single writer thread; readers
metrics        counters and gauges that any upper floor may turn
"""
