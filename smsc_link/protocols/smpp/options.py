"""The quirks of a message centre that speaks SMPP: one table, with defaults and meanings.

SmppOptions        the table; a link's `options` name its rows
OutbindOptions     inside it: who the centre says it is where it calls us
TEMPORARY_ERRORS   a link's `temporary_error` → command_status
RECEIPT_OPTIONS    those that may keep receipts from their messages

Source: the fact sheet's sections 4, 8, 9, 10 and 14; interfaces.md, section 3.
"""

from dataclasses import dataclass

from core.catalogue import Link
from plumbing.networks import Network
from smsc_link.options import Called, inner, mistake, option
from smsc_link.protocols.smpp.ussd import UssdOptions
from wire.smpp import status as st
from wire.smpp.message_ids import ID_MODES


@dataclass(frozen=True, slots=True)
class OutbindOptions:
    """What the centre's outbind has to say. What is empty is not looked at."""

    system_id: str = option("", "the centre's own name")
    secret: str = option("", "its password. Kept encrypted")


@dataclass(frozen=True, slots=True)
class SmppOptions(Called):
    """The quirks of a message centre. TON and NPI of -1 are chosen by the look of the address (sheet, section 4)."""

    system_type: str = option("", "system_type of the bind")
    interface_version: int = option(0x34, "of the bind: 51 is SMPP 3.3, 52 is 3.4, 80 is 5.0", least=0, most=255)
    address_range: str = option("", "address_range of the bind")
    bind_ton: int = option(0, "addr_ton of the bind", least=0, most=6)
    bind_npi: int = option(0, "addr_npi of the bind", least=0, most=18)
    enquire_s: float = option(30.0, "after so much silence we ask whether the centre is there; 0: never", least=0)
    inactivity_s: float = option(120.0, "after so much silence we give the session up; 0: never", least=0)
    window_in: int = option(500, "MO and receipts that may wait for our answer; more get the temporary error", least=1)
    outbind: OutbindOptions = inner(OutbindOptions(), "with called: what the centre's outbind has to say")

    source_ton: int = option(-1, "TON of our sender", least=-1, most=6)
    source_npi: int = option(-1, "NPI of our sender", least=-1, most=18)
    dest_ton: int = option(1, "TON of the subscriber", least=-1, most=6)
    dest_npi: int = option(1, "NPI of the subscriber", least=-1, most=18)
    service_type: str = option("", "service_type of what we submit; some operators see the tariff in it")
    messaging_mode: int = option(
        0, "esm_class bits 0 and 1 of what we submit: 0 the centre's own, 3 store", least=0, most=3
    )
    registered_delivery: int = option(1, "of what we submit: 1 asks for a receipt of any outcome", least=0, most=255)
    long_messages: str = option("udh8", "how a long MT goes", among=("udh8", "udh16", "sar", "payload"))
    validity: str = option("relative", "how valid_until is written", among=("relative", "absolute", "none"))

    default_alphabet: str = option("gsm7", "what data_coding 0 is: gsm7, or a charset such as latin-1")
    ia5_alphabet: str = option("latin-1", "what data_coding 1 is: gsm7, or a charset")
    packed: bool = option(False, "GSM texts are packed, eight septets in seven octets")
    udhi_missing: bool = option(False, "the centre does not tell of user data headers: look for those of long texts")
    default_destination: str = option("", "the short code of an MO that names none")

    ussd: bool = option(False, "the link carries USSD too: what has service_type USSD or ussd_service_op is a turn")
    ussd_gateway: UssdOptions = inner(UssdOptions(), "with ussd: the manners of its gateway")

    message_id_base: str = option("string", "bases of a message id in answer and receipt", among=tuple(ID_MODES))
    asked_id_letters: str = option(
        "upper", "with asks: the letters of a message id, as the centre writes them", among=("upper", "lower")
    )
    asked_id_length: int = option(
        0, "with asks: how long a message id is, where the centre puts zeros in front", least=0, most=64
    )
    accepted_is_final: bool = option(False, "a receipt ACCEPTD is the last one, and good")
    receipts_by_text: bool = option(False, "receipts come with esm_class 0 and are known by their text")

    def callers_of(self, link: Link) -> tuple[Network, ...] | None:
        """Who may call; None: nobody does. Raises a ConfigError."""
        if self.outbind != OutbindOptions() and not self.called:
            raise mistake(link, "outbind", "nobody calls this link; write called = true too, or leave it out")
        return Called.callers_of(self, link)


TEMPORARY_ERRORS = {
    "throttled": st.RTHROTTLED,
    "queue_full": st.RMSGQFUL,
    "system_error": st.RSYSERR,
    "delivery_failure": st.RX_T_APPN,
}
"""The link's temporary_error → command_status (interfaces.md, section 3)."""

RECEIPT_OPTIONS = (
    "message_id_base, where the one is hexadecimal and the other decimal; number_rules, where the sender is not the "
    "subscriber's number"
)
