"""Who may pass: rules over one message, and counts in windows.

judge      compile_rules, checks_of, verdict_of, judge: all rules over one message → Verdict
counters   the contract of counting (Counts), and one that counts in this process (MemoryCounts)
window     one sliding window: its events, exact or in buckets
rules/     one file per rule; RULES

A rule is pure: it says at once what it knows, or which windows to ask. The counts are asked once for a whole batch,
because Redis answers a batch with one script.
"""
