"""`tollbridge demo`: everything at work in one process, on SQLite.

cast.py       who plays: operators, partners, prices, blacklist, as the provisioning that `load` reads
crowd.py      the subscribers: who writes what to whom
partners.py   the partners' HTTP end points: quick, slow, flaky, hanging, late by the API
stage.py      folder, ports, configuration, migrated and provisioned database
life.py       the play itself: begin, traffic, end, check
picture.py    what is to be seen right now, read from the service and its database
screen.py     the picture on a terminal;  lines.py, the same as lines

Rule: the service in it is the real one; only what stands around it is played.
"""
