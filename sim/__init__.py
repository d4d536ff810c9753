"""The pocket SMSC: a message centre in a process, for the demo, for tests and for load.

pocket        PocketSmsc on the command line: run_pocket
centre        PocketSmsc: accepts binds, sends MO, answers and receipts MT
quirks        all that a centre may do otherwise, as options
esme          one bound client of it
tongue        what is asked of a protocol: MO, submissions and receipts as a centre says and hears them
tongues       one file per protocol: smpp, ucp
phones        who dials: USSD sessions
subscribers   who writes what, and what becomes of an MT on their phones (pure)
records       what was seen, counted and timed
"""
