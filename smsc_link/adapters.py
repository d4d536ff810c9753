"""What is asked of a link's protocol without a connection: by processes and stations that have none.

Adapters   coding_of, how the text of an MO of a link is to be read; only_answers, whether it only answers

Rule: a link whose options are wrong, or whose protocol is not served, gets the answer of most links, never an error:
its messages wait for it all the same.
"""

from collections.abc import Callable

from core.catalogue import Catalogue, Link
from core.errors import ConfigError
from core.sms.alphabet import Coding, coding_of
from smsc_link.adapter import Wording
from smsc_link.protocols import PROTOCOLS


class Adapters:
    """One adapter per link of the present catalogue, made when first asked for. Used by several threads."""

    def __init__(self, catalogue: Callable[[], Catalogue]) -> None:
        self._catalogue = catalogue
        self._made: dict[int, tuple[Link, Wording | None]] = {}

    def coding_of(self, link: Link, data_coding: int) -> Coding:
        """How the text of an MO is to be read: of a part that an earlier process stored."""
        adapter = self._adapter_of(link)
        return coding_of(data_coding) if adapter is None else adapter.coding_of(data_coding)

    def only_answers(self, link: Link) -> bool:
        """Whether nothing goes over a link but replies to what waits on it."""
        adapter = self._adapter_of(link)
        return adapter is not None and adapter.only_answers

    def _adapter_of(self, link: Link) -> Wording | None:
        made = self._made.get(link.id)
        if made is None or (made[0] is not link and made[0] != link):
            made = self._made[link.id] = link, self._make(link)
        return made[1]

    def _make(self, link: Link) -> Wording | None:
        try:
            return PROTOCOLS[link.protocol].adapter(link, self._catalogue().operators[link.operator])
        except (KeyError, ConfigError):
            return None
