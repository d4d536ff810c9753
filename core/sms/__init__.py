"""The short message as GSM knows it: what its octets say, and how many messages a text is.

alphabet   text <-> octets: GSM 03.38, Latin-1, UCS-2, and what a data_coding byte means
parts      user data headers: a text is cut into parts, parts are joined to a text
"""
