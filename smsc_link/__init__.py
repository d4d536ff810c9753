"""The door to the operators.

links      all links of a catalogue: started, stopped, exchanged; states for /health
link       one link's life: connect, bind, work, back off, again and again
session    one session of a link: from connected to closed; what was promised in it and not yet kept
options    a link's options: one table per protocol, read with care
adapters   what is asked of a link's protocol without a connection: how many SMS a text is over it
adapter    the contract of a protocol
protocols  one file per protocol: its operations ↔ Delivery, Mt, Receipt
"""
