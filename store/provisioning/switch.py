"""Links switched on and off by a person, without a file: the same rows, audit log and version as by `load`.

switch_links   `enabled` of some links, in a transaction of the caller's

Rule: like a load it begins by locking the catalogue's version; what is as wanted already makes no new one.
"""

from collections.abc import Collection

import sqlalchemy as sa

from core.clock import Instant
from store.provisioning.draft import Draft
from store.provisioning.load import lock_version, write_draft
from store.provisioning.sheets import Stored
from store.secrets import Sealed


def switch_links(connection: sa.Connection, names: Collection[str], *, enabled: bool, now: Instant, who: str) -> int:
    """Enable or disable links that are there; the catalogue's version."""
    version = lock_version(connection)
    draft = Draft(Stored(), now, Sealed())
    draft.report.version = version
    sheet = draft.stored.link
    sheet.read_where_in(connection, "name", names)
    for index, (name,) in enumerate(sorted(sheet.rows)):
        with draft.element("link", name, ("link", index)) as record:
            record.put(sheet, {"name": name, "enabled": enabled}, {"enabled": True})
    write_draft(connection, draft, who=who)
    return draft.report.version
