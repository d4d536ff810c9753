"""How fast it is, as ratios measured in one run: `make bench`, `python -m bench [SECTION …] [--quick]`.

__main__   the sections in turn, the tables, the file bench/out/bench.json
codec      deliver_sm beside smpplib's;  codec_ucp and codec_cimd2, those of UCP and CIMD2 by themselves
routes     a look-up with 10, 10 thousand and 1 million prefixes;  lines, which line a message goes by;
             counts, fraud's windows in memory and in Redis
commits    a transaction of the journal by the number of facts in it
way        the whole way of an MO on SQLite and on MariaDB: harness and checks;  kannel, the same load on Kannel
memory     resident memory over 500,000 messages
profile    `python -m bench profile`: where the time goes, by py-spy;  stacks, its samples added up

service, load, partner    the three processes of a measurement;  processes, starting and reading them
setting    what is provisioned and configured;  table, how it is shown

Rule: speed is printed, never asserted. What is asserted is that the work was done: every count, and the audit.
"""
