"""The SMPP door: partners bind at smpp_server.listen, by TLS when there is a certificate.

open_smpp   the server, listening
"""

from collections.abc import Callable

from core.catalogue import Catalogue
from core.clock import Clock
from core.errors import ConfigError
from partner_api.smpp_gate import Runs
from partner_api.smpp_limits import Limits
from partner_api.smpp_server import SmppServer
from plumbing.conversation import Address, Tls
from plumbing.metrics import Metrics
from tollbridge.config import SmppServerSection
from tollbridge.config_values import split_listen
from tollbridge.listening import no_door


async def open_smpp(
    section: SmppServerSection, catalogue: Callable[[], Catalogue], run: Runs, clock: Clock, metrics: Metrics
) -> SmppServer:
    """Listen. Raises ConfigError when the address is taken or a file of TLS cannot be read."""
    host, port = split_listen(section.listen)
    tls = Tls(certificate=section.tls_cert, key=section.tls_key) if section.tls_cert else None
    server = SmppServer(
        Address(host, port, tls),
        catalogue=catalogue,
        run=run,
        clock=clock,
        metrics=metrics,
        inactivity_s=section.inactivity_s,
        limits=Limits(binds_per_partner=section.binds_per_partner),
    )
    try:
        await server.start()
    except OSError as error:
        raise ConfigError(no_door("smpp_server.listen", section.listen, error)) from error
    return server
