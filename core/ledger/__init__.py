"""Who is owed what: accounts, entries, the postings of each fact, the audit (billing.md, sections 4 to 6 and 11).

accounts  the chart: addresses, kinds, normal sides, which accounts have a floor
entry     Posting and Entry; Charge, ChargeKind, ChargeState are named here too
facts     a charge → its postings; a batch of charges → the postings of its entry
rows      the rows of the store as the audit reads them, and Finding
audit     the invariants L1 to L6, L8 and L10, each a function from rows to findings
recompute L7: a charge, made again from the versions that it names

Rule: charges are the detail, entries are their sum; nothing here is ever changed, only added to.
"""
