"""kill -9 of the service at random moments under load.

Killed        what a run saw
kill_often    load, then N times: kill, start, check; at the end everything must be there

Two of three kills fall at a random moment of a burst, the third between a commit and its answers.

Rule: after every restart the ledger is audited and what is acknowledged is counted, beside the live service; after the
last one by `tollbridge check` too, as a person runs it, with `tollbridge status`.
"""

import asyncio
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from store.audit import INVARIANTS
from tests.fire.proxy import open_gate, swallow
from tests.fire.stage import Ask, Stage
from tests.fire.truth import audit_faults, end_faults, kept_faults, raise_for
from tests.tollbridge.shell import tollbridge

RATE = 150.0
BURST = 100
UNHEARD = 20
MANY = 10_000
"""Beyond, nobody writes during a check: it reads all there is, and would never be done with what comes meanwhile."""


@dataclass(slots=True)
class Killed:
    """The figures of a run."""

    kills: int = 0
    written: int = 0
    stored: int = 0
    unanswered: int = 0
    repeats: int = 0
    calls_twice: int = 0
    replies_twice: int = 0
    up_ms_max: int = 0
    seconds: float = 0.0


async def kill_often(
    database: str, count: int, *, seed: int = 0, tell: Callable[[int], None] = lambda done: None
) -> Killed:
    """The campaign; raises AssertionError with what does not hold."""
    killed, begun = Killed(), time.monotonic()
    async with Stage(Ask(database=database, seed=seed, proxied=True)) as stage:
        await stage.service.up()
        stage.load(RATE)
        for number in range(1, count + 1):
            await stage.until_acknowledged(1)
            await (_between_commit_and_answer if number % 3 == 0 else _at_a_random_moment)(stage)
            await stage.service.down(signal.SIGKILL)
            stage.proxies[0].up = open_gate
            killed.kills += 1
            started = time.monotonic()
            await stage.service.up()
            killed.up_ms_max = max(killed.up_ms_max, round(1000 * (time.monotonic() - started)))
            if stage.written > MANY:
                stage.calm()
            raise_for(await asyncio.to_thread(audit_faults, stage), f"check after kill {number}")
            raise_for(await asyncio.to_thread(kept_faults, stage), f"after kill {number}")
            if number == count:
                await _commands_say_so(stage)
            stage.calm()
            stage.load(RATE)
            tell(number)
        await stage.until_acknowledged(1)
        stage.calm()
        await stage.until_settled()
        raise_for(await asyncio.to_thread(end_faults, stage), f"at the end, {count} kills, seed {seed}")
        _count(stage, killed)
    killed.seconds = time.monotonic() - begun
    return killed


async def _at_a_random_moment(stage: Stage) -> None:
    """In the middle of whatever it does: after some of the acknowledgements of a burst, and then not quite at once."""
    stage.centre.flood(BURST)
    await stage.until_acknowledged(stage.random.randrange(1, BURST))
    await asyncio.sleep(stage.random.random() * 0.02)


async def _between_commit_and_answer(stage: Stage) -> None:
    """Something is durable whose answer the operator never gets."""
    stage.calm()
    # Receipts go first: with some of them waiting, the window would fill with them alone.
    await stage.until(lambda: not stage.centre.waiting, "a calm moment")
    stage.proxies[0].up = swallow
    acknowledged = stage.acknowledged
    stage.centre.flood(UNHEARD)
    await stage.until_rows("SELECT COUNT(*) FROM mo", lambda row: row[0] > acknowledged, "a commit without its answer")
    stage.load(RATE)


async def _commands_say_so(stage: Stage) -> None:
    """`tollbridge check` and `tollbridge status` beside the live service, while messages flow."""
    checked = await _command(stage, "check")
    assert re.findall(r"^(\S) (\S+)", checked, re.M) == [("✓", name) for name in (*INVARIANTS, "triggers")], checked
    # The process writes down what its links do at each beat of its heart.
    mine = f"SELECT id FROM process WHERE pid = {stage.service.pid}"
    await stage.until_rows(
        f"SELECT state FROM link_state WHERE process_id IN ({mine})", lambda row: row == ("bound",), "the link's state"
    )
    said = await _command(stage, "status")
    assert re.search(r"link-00 .* smpp .* bound ", said), said
    assert re.search(rf" {stage.service.pid} .* alive .* links,dispatch,api", said), said
    assert re.search(r"acme ", said), said


async def _command(stage: Stage, word: str) -> str:
    """What it printed; it must end well."""
    folder = stage.service.folder
    done = await asyncio.to_thread(tollbridge, word, "--config", str(stage.service.config), cwd=folder)
    assert done.returncode == 0, (word, done.stdout, done.stderr)
    return done.stdout


def _count(stage: Stage, killed: Killed) -> None:
    killed.written = stage.written
    killed.unanswered = sum(centre.counted.unanswered for centre in stage.centres)
    killed.stored, killed.repeats = stage.row("SELECT (SELECT COUNT(*) FROM mo), (SELECT COUNT(*) FROM mo_repeat)")
    killed.calls_twice = sum(count > 1 for count in stage.book.calls.values())
    (killed.replies_twice,) = stage.row("SELECT COUNT(*) FROM mt WHERE maybe_twice")
