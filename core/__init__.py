"""The words and the sums of Tollbridge: no I/O, no clock, no globals.

errors clock money msisdn ids   the ground
sms catalogue                   texts and their parts; who may do what, at what price
message                         an MO, an MT, a receipt, and the moves allowed
tariff                          price, VAT, operator, partner: the parts sum to the whole
ledger                          accounts, postings, entries, the facts of business, the audit

Rule: imports run only from a later line to an earlier one.
"""
