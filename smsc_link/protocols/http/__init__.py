"""Operators and aggregators that speak HTTP, by a declared mapping: no code for the next one.

HttpAdapter   one link's mapping, checked as a whole (adapter.py)
HttpLink      who keeps such a link up (link.py)
options       the mapping's tables
fields        requests and answers as names and values;  templates, texts with places
inbound       a request → Delivery, Receipt;  outbound, Mt → requests, and what their answers mean
signing       who is who
dialogue      USSD: a request → a turn → its screen
door          where operators call: one listener of a process
caller        requests of ours;  outward, when they may go;  held, requests that wait for their reply
ear           a trace's ear;  masking, messages without what it may not show;  kinds, what a field is by the mapping
"""

from smsc_link.protocols.http.adapter import HttpAdapter
from smsc_link.protocols.http.link import HttpLink
from smsc_link.protocols.http.options import RECEIPT_OPTIONS, HttpOptions

__all__ = ["RECEIPT_OPTIONS", "HttpAdapter", "HttpLink", "HttpOptions"]
