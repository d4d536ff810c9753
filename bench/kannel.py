"""Kannel under the same load: bearerbox and smsbox with the file store, the same centre, the same partner.

bench_kannel   flood and 500/s, beside our floods → Section
run_kannel     any stages
is_installed   whether it can be run

MO → smsbox's get-url → its answer as MT. Kannel bills nothing, signs nothing and does not sync its store to disk: it is
here to say what a gateway costs that does less.

Source: Kannel's user guide 1.4.5, chapters 3 (bearerbox), 6 (SMPP), 10 (smsbox, sms-service).
"""

import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from bench.load import Measured, Stage
from bench.processes import piped
from bench.table import Section, middle
from bench.way import COLUMNS, floods, rates, row_of
from tests import services

Say = Callable[[str], None]

_CONFIGURATION = """\
group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
store-type = file
store-location = {folder}/store

group = smsc
smsc = smpp
host = 127.0.0.1
port = {centre}
smsc-username = tollbridge
smsc-password = secret
system-type = ""
transceiver-mode = true
max-pending-submits = 100

group = smsbox
bearerbox-host = 127.0.0.1

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{partner}/mo?source=%p&short_code=%P&text=%a&accepted_at=%T&id=%I"
catch-all = true
max-messages = 1
"""


class Box(services.Server):
    """bearerbox or smsbox. Its log on standard error would be of level debug."""

    configuration: Path

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self._program = program

    def command(self) -> list[str]:
        return [self._program, "-v", "3", str(self.configuration)]

    def answers(self) -> bool:
        """bearerbox: its administration does. smsbox opens no port; bearerbox keeps messages until it is there."""
        if self._program == "smsbox":
            return True
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


def is_installed() -> bool:
    """Debian's kannel, whose programs stand in /usr/sbin."""
    os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin"
    return all(shutil.which(program) for program in ("bearerbox", "smsbox"))


@contextlib.contextmanager
def running(centre_port: int, partner_port: int) -> Iterator[tuple[Box, Box]]:
    """Both boxes for the time of a block."""
    bearerbox, smsbox = Box("bearerbox"), Box("smsbox")
    configuration = bearerbox.folder / "kannel.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            admin=bearerbox.port,
            boxes=smsbox.port,
            folder=bearerbox.folder,
            centre=centre_port,
            partner=partner_port,
        )
    )
    with contextlib.ExitStack() as stack:
        for box in (bearerbox, smsbox):
            box.configuration = configuration
            stack.callback(box.stop, signal.SIGKILL)
            box.start()
        yield bearerbox, smsbox


def bench_kannel(say: Say, ours: Mapping[str, Measured], *, quick: bool) -> Section:
    """The flood and 500/s on Kannel; `ours` are the floods of this run, to be compared with it."""
    at_500 = next(stage for stage in rates(quick=quick) if stage.rate == 500)
    *several, trickle = run_kannel([*floods(quick=quick), at_500], say)
    flood = middle(several)
    rows = [row_of("Kannel, flood", flood), row_of("Kannel, 500/s", trickle)]
    rows += [row_of(f"Tollbridge on {name}, flood", one) for name, one in ours.items()]
    base = flood.cpu_us("service")
    ratios = ["1.00", "", *(f"{one.cpu_us('service') / base:.2f}" for one in ours.values())]
    return Section(
        "kannel",
        "Kannel (bearerbox + smsbox, file store) under the same load",
        (*COLUMNS, "CPU × Kannel"),
        tuple((*row, ratio) for row, ratio in zip(rows, ratios)),
        (
            f"bearerbox {flood.cpu_us('bearerbox'):.0f} µs, smsbox {flood.cpu_us('smsbox'):.0f} µs. "
            "Kannel bills nothing, signs nothing, and does not sync its store to disk.",
            "On a flood it acknowledges as fast as it reads; MO wait inside, as its latency shows.",
        ),
    )


def run_kannel(stages: Sequence[Stage], say: Say) -> list[Measured]:
    """Run the stages on Kannel. Raises RuntimeError when not every MO got one MT."""
    with contextlib.ExitStack() as stack:
        partner, load = (stack.enter_context(piped(module)) for module in ("bench.partner", "bench.load"))
        bearerbox, smsbox = stack.enter_context(running(load.port, partner.port))
        watched = {
            "service": [bearerbox.pid, smsbox.pid],
            "bearerbox": [bearerbox.pid],
            "smsbox": [smsbox.pid],
            "load": [load.pid],
            "partner": [partner.pid],
        }
        named = [replace(stage, name=f"Kannel, {stage.name}", watched=watched) for stage in stages]
        found = [Measured.of(load.ask(asdict(stage), say)) for stage in named]
    for one in found:
        if one.submitted != one.total or one.refused:
            raise RuntimeError(f"Kannel answered {one.submitted} of {one.total} MO: this was no fair run")
    return found
