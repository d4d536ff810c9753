"""The journal against both databases: what a batch does, by the rows that it leaves."""
