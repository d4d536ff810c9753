"""Who is calling, and what becomes of those who guess."""

from base64 import b64encode
from collections.abc import Callable

from multidict import CIMultiDict

from partner_api.http.auth import NETWORK_FAILURES_MAX, read_credentials
from tests.partner_api.http.api import Answer, ApiCase


def basic(login: str, key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{login}:{key}".encode()).decode()}


class Keys(ApiCase):
    """Keys, right and wrong."""

    async def balance(self, headers: dict[str, str], address: str = "198.51.100.1") -> Answer:
        """Asked through a proxy on this machine that names an address."""
        return await self.ask("GET", "/v1/balance", key="", headers={"X-Forwarded-For": address, **headers})

    async def test_a_key_opens_as_bearer_and_with_its_login(self) -> None:
        for headers in (
            {"Authorization": "Bearer key-of-acme"},
            {"Authorization": "bearer  key-of-acme "},
            basic("acme", "key-of-acme"),
        ):
            assert (await self.balance(headers)).status == 200, headers

    async def test_everything_else_is_refused_in_the_same_words(self) -> None:
        said: set[str] = set()
        for headers in (
            {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer key-of-gone"},
            {"Authorization": "Basic "}, {"Authorization": "Basic %%%"}, {"Authorization": "Digest x"},
            basic("acme", "wrong"), basic("nobody", "key-of-acme"), basic("cy", "key-of-acme"),
            basic("gone", "key-of-gone"), basic("", "key-of-acme"), basic("acme", ""),
        ):  # fmt: skip
            answer = await self.balance(headers, address=f"198.51.100.{len(said) + 10}")
            self.api.clock.ms += 120_000
            assert (answer.status, answer.is_problem) == (401, True), headers
            said.add(answer.text)
        assert len(said) == 1

    async def test_an_address_that_guesses_is_made_to_wait_and_another_is_not(self) -> None:
        for number in range(NETWORK_FAILURES_MAX):
            assert (await self.balance({"Authorization": f"Bearer guess {number}"})).status == 401

        waiting = await self.balance({"Authorization": "Bearer key-of-acme"})
        elsewhere = await self.balance({"Authorization": "Bearer key-of-acme"}, address="203.0.113.7")
        self.api.clock.ms += 61_000
        later = await self.balance({"Authorization": "Bearer key-of-acme"})

        assert (waiting.status, waiting.is_problem, waiting.headers["Retry-After"]) == (429, True, "60")
        assert (elsewhere.status, later.status) == (200, 200)

    async def test_many_addresses_of_one_network_are_one_and_ports_and_fields_are_no_way_around(self) -> None:
        ways: tuple[Callable[[int], list[str]], ...] = (
            lambda number: [f"2001:db8:1:2::{number:x}"],
            lambda number: [f"198.51.100.9:{1000 + number}"],
            lambda number: [f"[2001:db8:1:3::{number:x}]:{number}"],
            lambda number: [f"203.0.113.{number}, 198.51.100.8"],
            lambda number: [f"203.0.113.{number}", "198.51.100.7"],
            lambda number: [f"guess {number}"],
        )
        for claimed in ways:
            said = []
            for number in range(NETWORK_FAILURES_MAX + 1):
                fields = [("Authorization", f"Bearer guess {number}")]
                fields += [("X-Forwarded-For", one) for one in claimed(number)]
                said.append((await self.ask("GET", "/v1/balance", key="", headers=CIMultiDict(fields))).status)
            self.api.clock.ms += 120_000

            assert said == [401] * NETWORK_FAILURES_MAX + [429], claimed(1)

    async def test_an_account_that_is_guessed_from_everywhere_is_open_to_its_key(self) -> None:
        for number in range(5 * NETWORK_FAILURES_MAX):
            await self.balance(basic("acme", f"guess {number}"), address=f"198.51.100.{number}")

        with_login = await self.balance(basic("acme", "key-of-acme"), address="203.0.113.7")
        as_bearer = await self.balance({"Authorization": "Bearer key-of-acme"}, address="203.0.113.8")

        assert (with_login.status, as_bearer.status) == (200, 200)

    async def test_a_key_that_worked_works_on_beside_one_who_guesses_in_the_same_network(self) -> None:
        assert (await self.balance(basic("acme", "key-of-acme"))).status == 200
        for number in range(NETWORK_FAILURES_MAX):
            await self.balance(basic("acme", f"guess {number}"))

        owner = await self.balance(basic("acme", "key-of-acme"))
        guess = await self.balance(basic("acme", "guess"))
        another = await self.balance(basic("cy", "key-of-cy"))

        assert (owner.status, guess.status, another.status) == (200, 429, 429)

    async def test_no_key_at_all_is_no_guess(self) -> None:
        for _ in range(NETWORK_FAILURES_MAX + 1):
            assert (await self.balance({})).status == 401
        assert (await self.balance({"Authorization": "Bearer key-of-acme"})).status == 200


def test_what_cannot_be_read_is_nobodys_key() -> None:
    for header in ("", "Basic", "Basic \udcff", "Bearer", "x" * 10_000, "Basic YQ=="):
        assert read_credentials(header)[1] == b"", header
