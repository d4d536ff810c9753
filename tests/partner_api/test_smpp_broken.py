"""Partners who send what cannot be used, and mistakes of ours on what can: told once, counted, the session goes on."""

from structlog.testing import capture_logs

from partner_api.smpp_desk import NotServed, Visitor
from plumbing.metrics import Metrics
from tests.partner_api.smpp_ends import ServerCase
from wire.session import Answered, Unanswered
from wire.smpp import encode
from wire.smpp import status as st
from wire.smpp.operations import DeliverSm, QuerySm, Request, SubmitSm, SubmitSmResp


class Broken(ServerCase):
    async def test_the_first_broken_pdu_of_a_session_is_logged_without_its_contents_and_all_are_counted(self) -> None:
        await self.serving()
        client = await self.bound()
        broken = encode(SubmitSm(9, destination_addr="79001112233", short_message=b"SECRET"))[:-8]
        broken = len(broken).to_bytes(4, "big") + broken[4:]

        with capture_logs() as logs:
            for _ in range(3):
                client.say(broken)
                answer = await client.hear()
                assert answer is not None
                assert answer.status == st.RINVCMDLEN

        [told] = logs
        assert (told["log_level"], told["partner"], told["command"]) == ("warning", "acme", "submit_sm")
        assert "0x02" in told["status"]
        assert "79001112233" not in str(told)
        assert self.metric("tollbridge_smpp_pdus_refused_total") == 3
        client.hang_up()
        await self.until(lambda: not self.servers[0].totals()["connections"])
        assert self.metric("tollbridge_smpp_pdus_refused_total") == 3
        assert self.metric("tollbridge_smpp_pdus_ignored_total") == 0

    async def test_who_is_not_bound_may_say_anything_without_a_warning(self) -> None:
        await self.serving()
        with capture_logs() as logs:
            client = await self.client()
            client.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while await client.hear() is not None:
                pass

        assert {one["log_level"] for one in logs} <= {"info", "debug"}, logs


class Clumsy(NotServed):
    """A desk with mistakes in it: a text that it cannot read, an answer, an end."""

    def __init__(self) -> None:
        super().__init__(Metrics())
        self.visitors: list[Visitor] = []

    def bound(self, visitor: Visitor) -> None:
        self.visitors.append(visitor)

    def asked(self, visitor: Visitor, request: Request) -> None:
        if isinstance(request, SubmitSm) and request.short_message.startswith(b"SECRET"):
            raise ValueError(f"cannot read {request.short_message!r}")
        super().asked(visitor, request)

    def told(self, visitor: Visitor, event: Answered | Unanswered) -> None:
        raise KeyError("SECRET")

    def ended(self, visitor: Visitor) -> None:
        raise RuntimeError("SECRET")


class Mistaken(ServerCase):
    async def test_an_operation_that_fails_by_a_mistake_of_ours_gets_a_system_error_and_all_else_goes_on(self) -> None:
        server = await self.serving(desk=Clumsy())
        client = await self.bound()

        with capture_logs() as logs:
            for _ in range(3):
                answer = await client.ask(SubmitSm(destination_addr="79001112233", short_message=b"SECRET"))
                assert (type(answer), answer.status) == (SubmitSmResp, st.RSYSERR)
                assert st.is_temporary(answer.status)
        assert (await client.ask(QuerySm(message_id="1"))).status == st.RQUERYFAIL
        assert await client.is_served()

        [told] = [one for one in logs if one["log_level"] == "error"]
        assert (told["partner"], told["operation"]) == ("acme", "submit_sm")
        assert "SECRET" not in str(told)
        assert "ValueError" in str(told["exc_info"][1])
        assert self.metric("tollbridge_smpp_mishaps_total") == 3
        assert server.totals() == {"connections": 1, "bound": 1}

    async def test_a_mistake_on_an_answer_or_at_the_end_costs_nothing_else_either(self) -> None:
        desk = Clumsy()
        server = await self.serving(desk=desk)
        client = await self.bound()

        with capture_logs() as logs:
            desk.visitors[0].send(DeliverSm(source_addr="79001112233", short_message=b"SECRET"))
            asked = await client.hear()
            assert isinstance(asked, DeliverSm)
            client.say(b"\0\0\0\x11\x80\0\0\5\0\0\0\0" + asked.sequence.to_bytes(4, "big") + b"\0")
            assert await client.is_served()
            client.hang_up()
            await self.until(lambda: not server.totals()["connections"])

        errors = [one for one in logs if one["log_level"] == "error"]
        assert [one["operation"] for one in errors] == ["deliver_sm, answered", "end of the session"]
        assert "SECRET" not in str(errors)
        assert server.totals() == {"connections": 0, "bound": 0}
        assert self.metric("tollbridge_smpp_mishaps_total") == 2
