"""Settlement with operators in the store: files staged, matched, shown, approved (billing.md, section 10).

files.py        a CSV or XLSX file as raw rows;  csv_file.py, xlsx_file.py, the two kinds
runs.py         a run: its row, who works on it, the sums of its differences
stage.py        a file → rows, good and bad; nothing is posted
ours.py         our messages on the file's footing, and which rows are about them already
beside.py       what the operator's other files say of the same messages
match.py        rows and messages → verdicts;  by_message.py, for files of messages;  by_count.py, for those that count
posting.py      what accepting rows books: charge-backs, losses, what is found
since.py        what they say by now of rows that are about to be booked
approve.py      a person accepts classes of differences, or dismisses them; posted in chunks
preview.py      what accepting would book, with nothing written
look.py         runs and their rows, for people
paid.py         an operator's payment

Rule: nothing moves money but `approve` and `paid`, and each chunk once: its entry's key is that of run and chunk.
"""
