"""A file, or values, into the catalogue: all or nothing.

load         a TOML file or text; raises ProvisioningError, one line: FILE:LINE: KEY: what is wrong and what to do
read_document   a file by itself, for who only asks what it would change
load_values  the same for values that the API or the portal has; raises Refused, which names the key
Refused      the first mistake, with its path

Rule: everything is read, judged and written in one transaction that begins by locking the catalogue's version, so two
loads never see half of each other.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path as FilePath
from typing import Any

import sqlalchemy as sa

from core.clock import Instant, Month
from core.errors import ProvisioningError
from store import secrets
from store.bulk import bulk_insert
from store.database import Database
from store.provisioning import checks
from store.provisioning.checks import Mistake
from store.provisioning.currencies import check_currencies
from store.provisioning.draft import Draft, Hashes
from store.provisioning.elements import Document, Mistakes, read
from store.provisioning.lines import Broken, Lines, Path, decode, read_toml
from store.provisioning.links import link_mistakes, link_remarks
from store.provisioning.loss import check_money
from store.provisioning.menus import with_files, with_menus
from store.provisioning.numbers import read_world, with_numbers, world_of
from store.provisioning.remarks import Served, remarks
from store.provisioning.report import Report
from store.provisioning.sentences import one_line
from store.provisioning.sheets import read_stored, write_stored
from store.provisioning.upsert import upsert
from store.schema import AuditLog, CatalogueVersion, ClosedMonth, Partner
from store.secrets import Keyring

_AUDIT = ("at", "who", "subject", "key", "before", "after")


class Refused(ProvisioningError):
    """Values that cannot be loaded: the first mistake, the path of its key, and a sentence."""

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__(one_line(f"{key_text(path)}: {sentence}"))
        self.path = path
        self.sentence = one_line(sentence)


def load(
    database: Database,
    source: FilePath | str,
    filename: str,
    now: Instant,
    keyring: Keyring,
    *,
    who: str = "load",
    served: Served | None = None,
) -> Report:
    """Provision from a file (a Path) or a text (a str); errors call it `filename`. Raises ProvisioningError.

    `served` is what this installation can do: which protocols there are, to ask them about their links, and for the
    remarks of the report.
    """
    try:
        text = _read_file(source, filename) if isinstance(source, FilePath) else source.removeprefix("\ufeff")
        values = read_toml(text)
    except Broken as error:
        raise ProvisioningError(one_line(f"{filename}:{error.line}: toml: {error}")) from error
    lines = Lines(text)
    try:
        read_values = with_files(values, source.parent if isinstance(source, FilePath) else None)
        return _load(database, read_values, now, keyring, who=who, served=served)
    except Mistakes as error:
        path, sentence = min(error.found, key=lambda mistake: lines.of(mistake[0]))
        raise ProvisioningError(
            one_line(f"{filename}:{lines.of(path)}: {key_text(_key(path, sentence, lines))}: {sentence}")
        ) from error


def read_document(source: FilePath, filename: str) -> Document:
    """A file by itself, without the database: types, keys and what hangs together in it. Raises ProvisioningError."""
    try:
        text = _read_file(source, filename)
        values = read_toml(text)
    except Broken as error:
        raise ProvisioningError(one_line(f"{filename}:{error.line}: toml: {error}")) from error
    lines = Lines(text)
    try:
        document = with_menus(read(with_files(values, source.parent)))
        document = with_numbers(document, world_of(document))
        _refuse(list(checks.check_inside(document)))
    except Mistakes as error:
        path, sentence = min(error.found, key=lambda mistake: lines.of(mistake[0]))
        raise ProvisioningError(
            one_line(f"{filename}:{lines.of(path)}: {key_text(_key(path, sentence, lines))}: {sentence}")
        ) from error
    return document


def load_values(database: Database, values: Mapping[str, Any], *, now: Instant, keyring: Keyring, who: str) -> Report:
    """Provision from values in the shape of the file (`{"service": [{…}]}`). Raises Refused."""
    try:
        return _load(database, values, now, keyring, who=who)
    except Mistakes as error:
        raise Refused(*error.found[0]) from error


def key_text(path: Path) -> str:
    """A path as a key: service.prefixes.short_code."""
    return ".".join(part for part in path if isinstance(part, str)) or "file"


def _key(path: Path, sentence: str, lines: Lines) -> Path:
    """What is named: a missing key itself, else the deepest key that stands in the text."""
    return path if sentence.startswith("is missing") else lines.known(path) or path


def _read_file(path: FilePath, name: str) -> str:
    try:
        return decode(path.read_bytes())
    except (OSError, ValueError) as error:
        if isinstance(error, Broken):
            raise
        why = error.strerror if isinstance(error, OSError) else "no name of a file"
        raise ProvisioningError(one_line(f"{name}: cannot be read ({why}); name a file that is there")) from error


def _load(
    database: Database,
    values: Mapping[str, Any],
    now: Instant,
    keyring: Keyring,
    *,
    who: str,
    served: Served | None = None,
) -> Report:
    document = with_menus(read(values, served.known_protocols if served is not None else ()))
    with database.read() as connection:
        world = read_world(connection, document)
    document = with_numbers(document, world)
    _refuse(list(checks.check_inside(document)))
    hashes = _hash_ahead(database, document)
    with database.write() as connection:
        version = lock_version(connection)
        draft = Draft(read_stored(connection, document), now, keyring, _last_closed(connection), hashes)
        _refuse([*checks.check_names(document, draft.stored)])
        _refuse([*check_currencies(connection, document, draft.stored)])
        _refuse([*checks.check_prefixes(document, draft.stored), *checks.check_codes(document, draft.stored)])
        upsert(draft, document)
        _refuse(draft.mistakes)
        _refuse([*link_mistakes(document, draft, served)])
        _refuse([*check_money(draft)])
        draft.report.version = version
        for name, sentence in (*link_remarks(document, draft, served), *remarks(document, draft, served)):
            draft.report.remark(name, sentence)
        write_draft(connection, draft, who=who)
        return draft.report


def _refuse(mistakes: list[Mistake]) -> None:
    if mistakes:
        raise Mistakes(mistakes)


def write_draft(connection: sa.Connection, draft: Draft, *, who: str) -> None:
    """What the draft changes, with its audit log, as the next version; nothing where it changes nothing."""
    report = draft.report
    if report.changed_anything:
        report.version += 1
        write_stored(connection, draft.stored, report.version)
        _write_audit(connection, draft, who)
        connection.execute(sa.update(CatalogueVersion).values(version=report.version))


def lock_version(connection: sa.Connection) -> int:
    """The catalogue's version, locked until the end of the transaction."""
    found = connection.execute(sa.select(CatalogueVersion.version).with_for_update()).scalar()
    if found is None:
        connection.execute(sa.insert(CatalogueVersion).values(id=1, version=0))
    return found or 0


def _last_closed(connection: sa.Connection) -> Month:
    return connection.execute(sa.select(sa.func.max(ClosedMonth.month))).scalar() or 0


def _hash_ahead(database: Database, document: Document) -> Hashes:
    """The slow hashes, outside the transaction that others wait for."""
    asked = [partner for partner in document.partner if partner.password or partner.smpp_password]
    if not asked:
        return {}
    with database.read() as connection:
        rows = connection.execute(sa.select(Partner.login, Partner.password_hash, Partner.smpp_password_hash))
        stored = {login: (password, smpp) for login, password, smpp in rows}
    wanted: list[tuple[str, str, str]] = []
    for partner in asked:
        password, smpp = stored.get(partner.login, ("", ""))
        if partner.password:
            wanted.append((f"{partner.login} password", password, partner.password))
        if partner.smpp_password:
            wanted.append((f"{partner.login} smpp_password", smpp, partner.smpp_password))
    with ThreadPoolExecutor(4) as pool:  # argon2 leaves the interpreter's lock
        return dict(zip(wanted, pool.map(lambda one: secrets.hash_unless_same(*one[1:]), wanted)))


def _write_audit(connection: sa.Connection, draft: Draft, who: str) -> None:
    rows = [(draft.now, who[:80], kind, key, before, after) for kind, key, before, after in draft.audit]
    bulk_insert(connection, AuditLog, _AUDIT, rows)
