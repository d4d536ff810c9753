"""The service under measurement: `python -m bench.service CONFIG`, as `tollbridge run --roles links,dispatch,api`.

Rule: nothing is done here that the real command does not do.
"""

import asyncio
import os
import sys
from pathlib import Path

from plumbing import loop
from tollbridge import logs
from tollbridge.config import load_config
from tollbridge.roles import Service

ROLES = ("links", "dispatch", "api")


async def _serve(path: Path) -> None:
    config = load_config(path, os.environ)
    logs.set_up(format=config.logs.format, full_numbers=config.logs.full_numbers)
    service = Service(config, ROLES)
    await service.start()
    try:
        await service.died.wait()
    except asyncio.CancelledError:
        await service.stop()


if __name__ == "__main__":
    loop.run(lambda: _serve(Path(sys.argv[1])))
