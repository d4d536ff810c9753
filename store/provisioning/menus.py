"""The menus of `[[ussd]]`: read from their files, checked as wholes (core/ussd), named by a digest.

with_files   values of a file → the same with the text of a menu where the path of its file stood
with_menus   a document → the same with codes where it leaves them to the menu; raises Mistakes for what is wrong in one
urls_of      a sound menu's text → the end points that it asks
version_of   a menu's text → its digest: a session goes on by the version that it began with

Rule: a file is read beside the provisioning file that names it, never for values that the API or the portal has.
"""

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path as FilePath
from typing import Any

from core.ussd.faults import BadMenu, Fault
from core.ussd.menu import Menu
from core.ussd.reading import load_menu
from store.provisioning.elements import MENU_MAX, Document, Mistakes, Ussd
from store.provisioning.lines import Broken, Lines, Path, decode, read_toml

CODE_MAX = 40


def with_files(values: Mapping[str, Any], folder: FilePath | None) -> Mapping[str, Any]:
    """`folder` is that of the provisioning file; None: there is none, and so no files. Raises Mistakes."""
    elements = values.get("ussd")
    if not isinstance(elements, list):
        return values
    read = []
    for index, element in enumerate(elements):
        menu = element.get("menu") if isinstance(element, dict) else None
        if isinstance(menu, str) and menu.strip() and "\n" not in menu:
            element = {**element, "menu": _read(menu, folder, ("ussd", index, "menu"))}
        read.append(element)
    return {**values, "ussd": read}


class _Text(str):
    """A menu's text that knows its file."""

    file = ""


def _read(name: str, folder: FilePath | None, path: Path) -> str:
    if folder is None:
        raise Mistakes([(path, "must be the text of a menu; a file is read only beside a provisioning file")])
    try:
        octets = (folder / name).read_bytes()
        text = _Text(decode(octets).replace("\r\n", "\n"))
    except Broken as error:
        raise Mistakes([(path, f"{name}:{error.line}: {error}")]) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no name of a file"
        raise Mistakes([(path, f"{name} cannot be read ({why}); name a file beside this one")]) from error
    if len(text) > MENU_MAX:
        raise Mistakes([(path, f"{name} is longer than {MENU_MAX} characters; make two menus of it")])
    text.file = name
    return text


def with_menus(document: Document) -> Document:
    """Each menu, found sound; its codes are the element's, or its own. Raises Mistakes."""
    if not document.ussd:
        return document
    found: list[tuple[Path, str]] = []
    menus = []
    for index, element in enumerate(document.ussd):
        try:
            menu = _menu_of(element)
        except _Wrong as error:
            found.append((("ussd", index, "menu"), str(error)))
        else:
            if any(len(code) > CODE_MAX for code in menu.codes):
                found.append((("ussd", index, "menu"), f"has a code of more than {CODE_MAX} characters; shorten it"))
            menus.append(element.model_copy(update={"code": list(element.code or menu.codes)}))
    if found:
        raise Mistakes(found)
    return document.model_copy(update={"ussd": menus})


def version_of(text: str) -> str:
    """16 hex digits."""
    return blake2b(text.encode(), digest_size=8).hexdigest()


def urls_of(text: str) -> list[str]:
    """Each once, in the order of the screens."""
    screens = load_menu("", read_toml(text)).screens.values()
    return list(dict.fromkeys(do.url for one in screens for do in (one.items, one.do) if do is not None and do.url))


class _Wrong(ValueError):
    """What is wrong in a menu, and where."""


def _menu_of(element: Ussd) -> Menu:
    text = element.menu
    where = f"{text.file}:" if isinstance(text, _Text) else "line "
    behind = "" if isinstance(text, _Text) else " of the menu"
    try:
        return load_menu(element.name, read_toml(text))
    except Broken as error:
        raise _Wrong(f"{where}{error.line}{behind}: {error}") from error
    except BadMenu as error:
        lines = Lines(text)
        first = min(error.faults, key=lambda fault: lines.of(_path_of(fault)))
        more = len(error.faults) - 1
        others = f"; {more} more mistake{'s follow' if more > 1 else ' follows'}" if more else ""
        raise _Wrong(f"{where}{lines.of(_path_of(first))}{behind}: {first}{others}") from error


def _path_of(fault: Fault) -> Path:
    """`screen meter, on.found` → where it stands in the text."""
    kind, _, rest = fault.place.partition(" ")
    place = (kind, rest) if kind == "screen" else tuple(fault.place.split(".", 1)) if kind != "the" else ()
    return (*place, *fault.key.split(".", 1)) if fault.key else place
