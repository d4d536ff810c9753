"""The one schema, the journal, and everything else that is SQL or Redis.

models/, migrations/   THE schema, as Django models; generate.py writes schema.py from them (`make schema`)
schema.py              the same tables, typed, for SQLAlchemy; all that the engine sees
database.py            URL → engine; the manners of SQLite and MariaDB; transactions
provisioning/          load, dump: all or nothing
snapshot.py            rows → core.catalogue
journal.py             one transaction for a batch of facts

Rule: the engine never loads Django; only models/, migrations/ and generate.py may import it.
"""
