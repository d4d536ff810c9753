"""The pocket SMSC: a message centre in a process, for the demo, for tests and for load.

pocket        PocketSmsc on the command line: run_pocket
centre        PocketSmsc: accepts binds, sends MO, answers and receipts MT
quirks        all that a centre may do otherwise, as options
esme          one bound client of it
writing       texts → deliver_sm, submissions → receipts
subscribers   who writes what, and what becomes of an MT on their phones (pure)
records       what was seen, counted and timed
"""
