"""The HTTP doors: the partners' stands open from the first moment, and lets callers in once the service is up.

open_api     the partner API where api.listen says; until `is_up`, only /health and /metrics are answered, and while
             `why_short` says something nothing is submitted
links_door   the operators', which the first link over HTTP opens

Rule: a caller who comes too early hears 503 and comes again, never 401 or 404 from a catalogue that is not read yet.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from core.clock import Clock
from core.errors import ConfigError
from partner_api.http.app import build_app, build_runner
from partner_api.http.ports import Ports
from partner_api.http.problems import away
from plumbing.crowd import ServerLimits
from smsc_link.protocols.http.door import DoorTerms, HttpDoor
from tollbridge.config import ApiSection, LinksSection
from tollbridge.config_values import split_listen
from tollbridge.listening import no_door

ALWAYS = frozenset({"/health", "/metrics", "/v1/openapi.json"})
SUBMISSIONS = "/v1/messages"
"""Where partners hand in messages: whatever is posted below it is new work."""


async def open_api(
    ports: Ports, section: ApiSection, clock: Clock, *, is_up: Callable[[], bool], why_short: Callable[[], str]
) -> web.AppRunner:
    """Listen. Raises ConfigError when the address is taken."""

    @web.middleware
    async def keep_shut(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not is_up() and request.path not in ALWAYS:
            return away("the service is not up; send the request again in a moment")
        if request.method == "POST" and request.path.startswith(SUBMISSIONS) and why_short():
            # Why, and how much this host has, is told by the log, the alert and /health.
            return away("the service is short of room; send the request again later, with the same Idempotency-Key")
        return await handler(request)

    app = build_app(ports, clock=clock)
    app.middlewares.append(keep_shut)
    runner = build_runner(app, ServerLimits(section.connections, section.connections_per_network))
    await runner.setup()
    host, port = split_listen(section.listen)
    try:
        await web.TCPSite(runner, host or None, port).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigError(no_door("api.listen", section.listen, error)) from error
    return runner


def links_door(section: LinksSection) -> HttpDoor:
    """Where links.http_listen says."""
    host, port = split_listen(section.http_listen)
    proxies = tuple(filter(None, (one.strip() for one in section.http_proxies.split(","))))
    terms = DoorTerms(
        host,
        port,
        certificate=section.http_tls_cert,
        key=section.http_tls_key,
        client_authority=section.http_client_ca,
        proxies=proxies,
    )
    return HttpDoor(terms)
