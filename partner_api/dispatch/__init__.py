"""How a partner is told of an MO: one file per method, one line in METHODS.

Means      what the roof hands to the methods
METHODS    the name in a service's `method` → its method, ready to be called

callback.py    parameters and signature of a callback over HTTP
addresses.py   where callbacks may go
answers.py     what a partner's answer means
http.py        http_get, http_post, http_post_json

The contract: `deliver(callback) → Answer` (traffic.ports.Deliver). A method keeps the time limit, never raises, never
follows a redirect, and its memory is bounded whatever the partner sends; tests/kits/test_every_method.py checks it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from partner_api.dispatch.http import HttpCaller
from traffic.ports import Deliver


@dataclass(frozen=True, slots=True)
class Means:
    """What methods work with; each takes what it needs."""

    http: HttpCaller


Method: TypeAlias = Callable[[Means], Deliver]

METHODS: dict[str, Method] = {
    "http_get": lambda means: means.http.get,
    "http_post": lambda means: means.http.post,
    "http_post_json": lambda means: means.http.post_json,
}
