"""Tests of core/ledger: accounts, entries, postings, the audit; a ledger in memory for them."""
