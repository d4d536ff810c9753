"""Settlement with operators: their monthly files held against our messages (billing.md, sections 6 and 10).

verdicts.py   what becomes of a row, of a run, of a difference; the numbers are stored
columns.py    how an operator's file is laid out: which column says what
reading.py    one raw row by that map → a row, or why it cannot be read
days.py       months and days in the zone of a file
amounts.py    gross, net, payout: what an amount of the file means for the receivable
matching.py   one operator's rows of one number against our messages: who belongs to whom, what differs
judging.py    a row and the message that it is about → its verdict and what accepting it would move
counting.py   the same for files that only count

Rule: pure, and every row of a file gets exactly one verdict, so the sums by verdict are the file's total.
"""

from core.settlement.verdicts import Decision, RunState, Verdict

__all__ = ["Decision", "RunState", "Verdict"]
