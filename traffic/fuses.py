"""The breakers of all end points: one for each address, whichever services are called there.

Fuses   of() gives the breaker of a service's end point; rationed() tells of whose jobs only a probe is wanted

Rule: know() is called with every catalogue, so a service that is given another address leaves its old breaker behind.
"""

from collections.abc import Iterable

from core.catalogue import Service
from traffic.retry import Breaker


class Fuses:
    """Of one process."""

    def __init__(self) -> None:
        self._address_of: dict[int, str] = {}
        """By service, of those that were called."""
        self._breakers: dict[str, Breaker] = {}

    def of(self, service: Service) -> Breaker:
        """The breaker of where this service is called now."""
        address = self._address_of[service.id] = _address(service)
        breaker = self._breakers.get(address)
        if breaker is None:
            breaker = self._breakers[address] = Breaker()
        return breaker

    def know(self, services: Iterable[Service]) -> None:
        """What is called where from now on."""
        addresses = {service.id: _address(service) for service in services}
        self._address_of = {id_: addresses[id_] for id_ in self._address_of if id_ in addresses}
        left = set(self._address_of.values())
        self._breakers = {address: breaker for address, breaker in self._breakers.items() if address in left}

    def rationed(self, now_ms: int) -> dict[int, int]:
        """Services whose end point is shut: one of their jobs is wanted when a probe is due, else none."""
        rationed: dict[int, int] = {}
        for service_id, address in self._address_of.items():
            breaker = self._breakers.get(address)
            if breaker is not None and breaker.is_shut:
                rationed[service_id] = int(breaker.is_probe_due(now_ms))
        return rationed


def _address(service: Service) -> str:
    """Without one (SMPP) every service is an end point of its own."""
    return service.url or f"service {service.id}"
