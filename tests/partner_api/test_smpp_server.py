"""Partners bind over SMPP, on real sockets: who may, what they are told, and what nobody may do to the others."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from structlog.testing import capture_logs

from partner_api.smpp_limits import Limits
from plumbing.loop import spawn
from tests.partner_api.smpp_ends import CLOCK, QUICK, Client, ServerCase, hashed, partners
from wire.smpp import status as st
from wire.smpp.operations import (
    BindReceiver,
    BindResp,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    DataSm,
    Destination,
    EnquireLink,
    GenericNack,
    QuerySm,
    ReplaceSm,
    Request,
    SubmitMulti,
    SubmitSm,
    Unbind,
    UnbindResp,
)
from wire.smpp.tlvs import ADDITIONAL_STATUS_INFO_TEXT, MESSAGE_PAYLOAD, SC_INTERFACE_VERSION, read_int, read_text

A_SUBMIT: dict[str, Any] = {"destination_addr": "79001112233", "short_message": b"Hello"}


class Binding(ServerCase):
    async def test_a_partner_binds_as_each_of_the_three_kinds(self) -> None:
        server = await self.serving()
        for kind in (BindReceiver, BindTransmitter, BindTransceiver):
            answer = await (await self.client()).bind("acme", "aaa", kind)
            assert isinstance(answer, BindResp)
            assert (answer.status, answer.system_id) == (0, "tollbridge")
            assert read_int(answer.tlvs, SC_INTERFACE_VERSION) == 0x34

        assert server.summary() == {"acme": {"bind_receiver": 1, "bind_transmitter": 1, "bind_transceiver": 1}}
        assert [one.receives for one in server.sessions_of("acme")] == [True, False, True]

    async def test_a_client_of_smpp_3_3_is_sent_no_tlvs(self) -> None:
        await self.serving()
        answer = await (await self.client()).bind("acme", "aaa", BindReceiver, interface_version=0x33)

        assert (answer.status, answer.tlvs) == (0, ())

    async def test_nothing_tells_which_of_name_and_password_was_wrong(self) -> None:
        await self.serving(Limits())
        for number, (login, password) in enumerate(
            (("nobody", "aaa"), ("acme", "wrong"), ("idle", "iii"), ("mute", ""), ("", ""))
        ):
            client = await self.client(f"127.0.0.{10 + number}")
            answer = await client.bind(login, password)

            assert (answer.status, answer.tlvs) == (st.RINVPASWD, ()), login
            assert await client.hear() is None
            assert self.looks == number + 1, "each costs one look"

    async def test_a_long_password_is_looked_at_too(self) -> None:
        self.catalogue = partners(smpp_password_hash=hashed("longer than eight"))
        await self.serving()

        assert (await (await self.client()).bind("acme", "longer than eight")).status == 0

    async def test_a_password_that_was_right_is_recognised_without_a_second_look(self) -> None:
        await self.serving()
        for _ in range(20):
            await self.bound()

        assert self.looks == 1

    async def test_trouble_of_ours_is_no_wrong_password(self) -> None:
        async def broken(function: Callable[..., bool], *args: Any) -> bool:
            if args[0]:
                raise RuntimeError("no threads left")
            return False

        await self.serving(run=broken)

        assert (await (await self.client()).bind("acme", "aaa")).status == st.RSYSERR

    async def test_a_second_bind_on_a_bound_session_is_refused(self) -> None:
        await self.serving()
        client = await self.bound()

        assert (await client.bind("acme", "aaa")).status == st.RALYBND
        assert await client.is_served()


class Serving(ServerCase):
    async def test_enquire_link_is_answered_before_and_after_the_bind(self) -> None:
        await self.serving()
        client = await self.client()
        assert await client.is_served()
        await client.bind("acme", "aaa")

        assert await client.is_served()

    async def test_an_unbind_is_answered_and_ends_the_session(self) -> None:
        server = await self.serving()
        client = await self.bound()

        assert isinstance(await client.ask(Unbind()), UnbindResp)
        assert await client.hear() is None
        await self.until(lambda: not server.totals()["connections"])
        assert (server.totals(), server.summary()) == ({"connections": 0, "bound": 0}, {})

    async def test_every_request_is_refused_for_good_and_logged_once(self) -> None:
        await self.serving()
        for operation in ("submit_sm", "submit_multi", "data_sm", "query_sm", "cancel_sm", "replace_sm"):
            assert self.metric(f'tollbridge_smpp_requests_refused_total{{operation="{operation}"}}') == 0
        client = await self.client()
        await client.bind("acme", "aaa", interface_version=0x50)
        refused: tuple[tuple[Request, int], ...] = (
            (SubmitSm(**A_SUBMIT), st.RINVCMDID),
            (SubmitSm(**A_SUBMIT), st.RINVCMDID),
            (DataSm(destination_addr="79001112233"), st.RINVCMDID),
            (SubmitMulti(dest_address=(Destination(1, 1, "79001112233"),)), st.RINVCMDID),
            (QuerySm(message_id="1"), st.RQUERYFAIL),
            (CancelSm(message_id="1"), st.RCANCELFAIL),
            (ReplaceSm(message_id="1"), st.RREPLACEFAIL),
        )
        with capture_logs() as logs:
            for request, status in refused:
                answer = await client.ask(request)
                assert type(answer) is request.response_type
                assert (answer.status, answer.sequence) == (status, request.sequence)
                assert "HTTP API" in (read_text(answer.tlvs, ADDITIONAL_STATUS_INFO_TEXT) or "")
                assert st.is_permanent(status)

        assert [(one["partner"], one["operation"]) for one in logs] == [("acme", "submit_sm")]
        assert self.metric('tollbridge_smpp_requests_refused_total{operation="submit_sm"}') == 2

    async def test_a_client_of_smpp_3_4_gets_the_reason_where_3_4_has_it(self) -> None:
        await self.serving()
        client = await self.bound()

        assert (await client.ask(SubmitSm(**A_SUBMIT))).tlvs == ()
        assert (await client.ask(DataSm(destination_addr="79001112233"))).tlvs != ()

    async def test_a_pdu_of_70000_octets_is_read_and_a_longer_one_is_not(self) -> None:
        await self.serving()
        client = await self.bound()
        beside = 70_000 - 45
        parts = ((MESSAGE_PAYLOAD, b"x" * 65_000), (0x1400, b"x" * (beside - 65_000 - 8)))

        answer = await client.ask(SubmitSm(destination_addr="79001112233", tlvs=parts))
        assert answer.status == st.RINVCMDID
        client.say((70_001).to_bytes(4, "big") + b"\0\0\0\4")

        answer = await client.hear()  # type: ignore[assignment]
        assert isinstance(answer, GenericNack)
        assert answer.status == st.RINVCMDLEN
        assert await client.hear() is None

    async def test_a_silent_session_is_unbound_and_one_that_answers_is_not(self) -> None:
        server = await self.serving(inactivity_s=1.5)
        alive = await self.bound("ben", "bbb")
        answering = spawn(self.answers_enquiries(alive), name="alive")
        began_ms = CLOCK.monotonic_ms()
        silent = await self.bound()

        asked, unbound = await silent.hear(), await silent.hear()
        lasted_ms = CLOCK.monotonic_ms() - began_ms
        answering.cancel()

        assert (type(asked), type(unbound)) == (EnquireLink, Unbind)
        assert lasted_ms >= 1490
        assert server.sessions_of("acme") == []
        assert len(server.sessions_of("ben")) == 1

    async def answers_enquiries(self, client: Client) -> None:
        while (request := await client.hear()) is not None:
            assert type(request) is EnquireLink
            client.say(b"\0\0\0\x10\x80\0\0\x15\0\0\0\0" + request.sequence.to_bytes(4, "big"))

    async def test_a_bind_must_come_in_time(self) -> None:
        await self.serving(replace(QUICK, bind_ms=200, delay_most_ms=100))
        silent, slow = await self.client(), await self.client()
        slow.say(b"\0\0\0\x29\0\0")

        assert await silent.hear() is None
        assert await slow.hear() is None


class Delaying(ServerCase):
    async def refused_after_ms(self, source: str, login: str = "acme") -> int:
        client = await self.client(source)
        began_ms = CLOCK.monotonic_ms()
        assert (await client.bind(login, "wrong")).status == st.RINVPASWD
        return CLOCK.monotonic_ms() - began_ms

    async def test_the_third_failed_bind_and_each_after_it_waits_longer(self) -> None:
        await self.serving()

        waited = [await self.refused_after_ms("127.0.0.2", f"login{number}") for number in range(6)]

        assert all(got >= least for got, least in zip(waited, (0, 0, 19, 39, 79, 159))), waited
        assert self.metric("tollbridge_smpp_binds_delayed_total") == 4

    async def test_many_at_once_are_no_way_around_and_hold_up_nobody_elsewhere(self) -> None:
        await self.serving(replace(QUICK, delay_first_ms=2000, delay_most_ms=2000))
        floods = [await self.client("127.0.0.2") for _ in range(30)]
        for flood in floods:
            flood.say(BindTransceiver(system_id="acme", password="wrong"))
        await self.until(lambda: self.metric("tollbridge_smpp_binds_delayed_total") == 28)

        began_ms = CLOCK.monotonic_ms()
        await self.bound("ben", "bbb", source="127.0.0.3")

        assert CLOCK.monotonic_ms() - began_ms < 1500
        assert self.looks == 3, "two of the flood and the sound one: the others wait"

    async def test_guesses_at_an_account_do_not_slow_down_where_it_is_at_home(self) -> None:
        await self.serving()
        await self.bound(source="127.0.0.2")
        for number in range(5):
            await self.refused_after_ms(f"127.0.0.{10 + number}")
        delayed = self.metric("tollbridge_smpp_binds_delayed_total")
        assert delayed == 3

        await self.bound(source="127.0.0.2")
        assert self.metric("tollbridge_smpp_binds_delayed_total") == delayed
        await self.bound(source="127.0.0.99")
        assert self.metric("tollbridge_smpp_binds_delayed_total") == delayed + 1

    async def test_who_hangs_up_while_waiting_costs_no_look(self) -> None:
        server = await self.serving()
        for _ in range(2):
            await self.refused_after_ms("127.0.0.2")
        for _ in range(5):
            client = await self.client("127.0.0.2")
            client.say(BindTransceiver(system_id="acme", password="wrong"))
            await self.until(lambda: server._door.unbound > len(server._door._silent))
            client.hang_up()
            await self.until(lambda: not server.totals()["connections"])
        await asyncio.sleep(0.4)

        assert self.looks == 2


class Crowding(ServerCase):
    async def test_silent_connections_never_keep_a_sound_partner_out(self) -> None:
        server = await self.serving(replace(QUICK, unbound_per_network=5))
        silent = [await self.client() for _ in range(8)]

        client = await self.bound()

        assert [await one.hear() for one in silent[:4]] == [None] * 4
        assert [await one.is_served() for one in silent[4:]] == [True] * 4
        assert server.totals()["connections"] == 5
        assert await client.is_served()
        assert self.metric('tollbridge_smpp_arrivals_total{outcome="displaced"}') == 4

    async def test_a_network_full_of_waiting_binds_is_refused_and_others_are_not(self) -> None:
        await self.serving(replace(QUICK, unbound_per_network=5, delay_first_ms=2000, delay_most_ms=2000))
        for _ in range(2):
            await (await self.client("127.0.0.2")).bind("acme", "wrong")
        for _ in range(5):
            client = await self.client("127.0.0.2")
            client.say(BindTransceiver(system_id="acme", password="wrong"))
        await self.until(lambda: self.metric("tollbridge_smpp_binds_delayed_total") == 5)

        assert await (await self.client("127.0.0.2")).hear() is None
        await self.bound("ben", "bbb", source="127.0.0.3")
        assert self.metric('tollbridge_smpp_arrivals_total{outcome="refused"}') == 1

    async def test_beyond_the_limit_of_all_the_newest_is_refused_until_somebody_leaves(self) -> None:
        server = await self.serving(replace(QUICK, connections=4, unbound_per_network=4))
        inside = [await self.bound() for _ in range(4)]
        assert await (await self.client("127.0.0.3")).hear() is None

        inside[0].hang_up()
        await self.until(lambda: server.totals()["connections"] == 3)

        await self.bound("ben", "bbb", source="127.0.0.3")
        assert all([await one.is_served() for one in inside[1:]])

    async def test_one_partner_has_no_more_binds_than_his_own_and_the_others_theirs(self) -> None:
        server = await self.serving(replace(QUICK, binds_per_partner=3))
        inside = [await self.bound() for _ in range(3)]

        with capture_logs() as logs:
            refused = [await (await self.client()).bind("acme", "aaa") for _ in range(5)]
            wrong = await (await self.client()).bind("acme", "wrong")
        await self.bound("ben", "bbb")

        assert [(answer.status, answer.status == st.RBINDFAIL) for answer in refused] == [(0x0D, True)] * 5
        assert wrong.status == st.RINVPASWD
        [told] = [one for one in logs if one.get("partner") == "acme"]
        assert (told["log_level"], told["binds"]) == ("warning", 3)
        assert "as many as it may" in told["event"]
        assert self.metric('tollbridge_smpp_bind_answers_total{outcome="too_many"}') == 5
        inside[0].hang_up()
        await self.until(lambda: len(server.sessions_of("acme")) == 2)
        await self.bound()

    async def test_a_thousand_binds_stand_beside_each_other(self) -> None:
        server = await self.serving(replace(QUICK, binds_per_partner=1000))
        for _ in range(20):
            await asyncio.gather(*(self.bound() for _ in range(50)))

        assert server.totals() == {"connections": 1000, "bound": 1000}


class Changing(ServerCase):
    async def changed(self, **changes: Any) -> Client:
        """What a bound acme hears after a change of its row."""
        [server] = self.servers or [await self.serving()]
        client = await self.bound()
        self.catalogue = partners(**changes)
        server.apply(self.catalogue)
        return client

    async def test_a_new_password_unbinds_who_came_with_the_old_one(self) -> None:
        client = await self.changed(smpp_password_hash=hashed("new"))

        assert type(await client.hear()) is Unbind
        assert (await (await self.client()).bind("acme", "aaa")).status == st.RINVPASWD
        assert (await (await self.client()).bind("acme", "new")).status == 0

    async def test_a_partner_that_is_not_active_any_more_is_unbound(self) -> None:
        client = await self.changed(active=False)

        assert type(await client.hear()) is Unbind
        assert (await (await self.client()).bind("acme", "aaa")).status == st.RINVPASWD

    async def test_any_other_change_leaves_it_bound_and_is_known(self) -> None:
        client = await self.changed(credit_limit=5)

        assert await client.is_served()
        assert self.servers[0].sessions_of("acme")[0].partner.credit_limit == 5

    async def test_a_partner_without_a_change_stays(self) -> None:
        await self.serving()
        ben = await self.bound("ben", "bbb")
        await self.changed(active=False)

        assert await ben.is_served()

    async def test_a_stop_unbinds_all_and_waits_for_their_answer(self) -> None:
        server = await self.serving()
        clients = [await self.bound(), await self.bound("ben", "bbb")]
        unbound = await self.client()
        stopping = spawn(server.stop(5), name="stop")

        for client in clients:
            assert type(await client.hear()) is Unbind
        assert not stopping.done()
        for client in clients:
            client.say(b"\0\0\0\x10\x80\0\0\x06\0\0\0\0\0\0\0\1")
        await stopping

        assert await unbound.hear() is None
        assert (server.totals(), server.summary()) == ({"connections": 0, "bound": 0}, {})

    async def test_a_stop_does_not_wait_long_for_who_does_not_answer(self) -> None:
        server = await self.serving()
        client = await self.bound()
        stopping = spawn(server.stop(0.2), name="stop")

        assert [type(await client.hear()), await client.hear()] == [Unbind, None]
        await stopping
