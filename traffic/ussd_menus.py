"""The menus that are served, out of a catalogue: by the codes that open them and by their names.

Menus      of one catalogue: codes, the menu of a code, that of a name
MenuShelf  makes them; a menu that did not change is not read again

A menu is served while it is enabled, its service approved and its partner active.

Rule: one menu that cannot be read, as after a change of what menus may do, must not keep the others from their users.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from structlog import get_logger

from core.catalogue import Catalogue, Service, UssdMenu
from core.errors import ProvisioningError
from core.ussd.dial import Codes
from core.ussd.menu import Menu
from core.ussd.reading import load_menu

log = get_logger()


@dataclass(frozen=True, slots=True)
class Served:
    """A menu, and whose end point answers for it."""

    menu: Menu
    service: Service


@dataclass(frozen=True, slots=True)
class Menus:
    """Those of one catalogue. Never changed, so the writer's thread may look into it."""

    by_name: Mapping[str, Served] = field(default_factory=dict)
    by_code: Mapping[str, Served] = field(default_factory=dict)
    codes: Codes = field(default_factory=lambda: Codes(()))


class MenuShelf:
    """Menus as they were last asked for."""

    def __init__(self) -> None:
        self._of: Catalogue | None = None
        self._menus = Menus()
        self._read: dict[tuple[str, str, tuple[str, ...]], Menu | None] = {}

    def of(self, catalogue: Catalogue) -> Menus:
        """Those of this catalogue."""
        if catalogue is not self._of:
            self._of = catalogue
            self._menus = self._made(catalogue)
        return self._menus

    def _made(self, catalogue: Catalogue) -> Menus:
        before, self._read = self._read, {}
        by_name: dict[str, Served] = {}
        for one in catalogue.ussd.values():
            service = catalogue.services.get(one.service)
            if not one.enabled or service is None or service.status != "approved":
                continue
            if not catalogue.partners[service.partner].active:
                continue
            key = (one.name, one.version, one.codes)
            menu = self._read[key] = before[key] if key in before else _menu_of(one)
            if menu is not None:
                by_name[one.name] = Served(menu, service)
        by_code = {code: served for served in by_name.values() for code in served.menu.codes}
        return Menus(by_name, by_code, Codes(by_code))


def _menu_of(one: UssdMenu) -> Menu | None:
    try:
        menu = load_menu(one.name, tomllib.loads(one.text))
    except (ProvisioningError, tomllib.TOMLDecodeError) as error:
        log.error("a menu is not served", menu=one.name, reason=str(error), remedy="correct it, and load it again")
        return None
    return replace(menu, codes=one.codes)
