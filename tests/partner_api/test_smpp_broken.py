"""Partners who send what cannot be used: a line of the log for each session, and a count of all."""

from structlog.testing import capture_logs

from tests.partner_api.smpp_ends import ServerCase
from wire.smpp import encode
from wire.smpp import status as st
from wire.smpp.operations import SubmitSm


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
