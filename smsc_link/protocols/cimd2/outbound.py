"""What we submit to a message centre: Mt → 03, and what the centre says to it.

Cimd2Writer   one link's writer

A text goes as GSM characters in 033, with their escapes, or as UCS-2 in 034; a long one in parts, each with its header
in 032.

Rule: parts_of() and write() agree always: one is what is counted, the other what is sent. A NACK or a general error is
no answer to a message: nothing was accepted.

Source: the fact sheet's sections 3 to 7.
"""

import re
from functools import lru_cache, partial

from core.catalogue import Link
from core.clock import MINUTE_MS, Instant
from core.message import Mt, MtKind, SubmitAnswer, SubmitOutcome
from core.numbering import Numbers
from core.sms.alphabet import Alphabet, decode_gsm
from core.sms.parts import count, headers, split
from smsc_link.options import error_codes, mistake
from smsc_link.protocols.cimd2.options import (
    SERVICE_DESCRIPTION_MAX,
    TARIFF_CLASS_MAX,
    Cimd2Options,
    read_by_sender,
    read_zone,
)
from smsc_link.reading import said
from wire.cimd2 import GeneralError, Nack, Response, Submit, SubmitResp, codes, validity_code, write_text, write_time
from wire.cimd2.identity import key_of
from wire.errors import LocalError

_SAID_MAX = 64
_NAME_MAX = 11
_ADDRESS = re.compile(r"\+?[0-9]{1,19}")


class Cimd2Writer:
    """Writes what goes over one link."""

    def __init__(self, link: Link, options: Cimd2Options, numbers: Numbers) -> None:
        self.numbers = numbers
        self._options = options
        self._bits = 16 if options.long_messages == "udh16" else 8
        self._zone = read_zone(link, options)
        if options.sender == "suffix" and not options.account_number.isdecimal():
            raise mistake(
                link, "account_number", "sender = suffix needs it: the number that the centre puts before 023"
            )
        self._throttles = _errors(link, "throttle_errors", options.throttle_errors)
        self._passes = _errors(link, "temporary_errors", options.temporary_errors)
        self._stays = _errors(link, "permanent_errors", options.permanent_errors)
        self._tariffs = _by_kind(link, options, "tariff_class", TARIFF_CLASS_MAX)
        self._services = _by_kind(link, options, "service_description", SERVICE_DESCRIPTION_MAX)
        self._sender_of = lru_cache(maxsize=1024)(self._write_sender)
        self._envelope = partial(
            Submit,
            status_report_request=_unless(options.status_reports, -1),
            priority=_unless(options.message_priority, 0),
            protocol_id=_unless(options.protocol_id, -1),
        )

    def write(self, mt: Mt, reference: int, now: Instant) -> list[Submit]:
        """One operation for each part; the cheapest alphabet."""
        if not mt.text:
            raise ValueError("CIMD2 carries no empty texts")
        relative, absolute = self._validity_of(mt.valid_until, now) if mt.valid_until else (None, "")
        premium = mt.kind is MtKind.PREMIUM
        originator, name = self._sender_of(mt.source)
        envelope = partial(
            self._envelope,
            destinations=(self.destination_of(mt.destination),),
            originating_address=originator,
            alphanumeric_originator=name,
            validity_relative=relative,
            validity_absolute=absolute,
            tariff_class=_of_sender(self._tariffs[premium], mt.source),
            service_description=_of_sender(self._services[premium], mt.source),
        )
        cut = split(mt.text, bits=self._bits)
        placed = list(zip(cut.chunks, headers(reference, cut.parts, self._bits)))
        if cut.alphabet is Alphabet.GSM7:
            return [
                envelope(user_data_header=header, user_data=write_text(decode_gsm(chunk))) for chunk, header in placed
            ]
        coding = self._options.ucs2_coding
        return [
            envelope(user_data_header=header, data_coding=coding, user_data_binary=chunk) for chunk, header in placed
        ]

    def parts_of(self, text: str) -> int:
        """How many SMS the text is over this link."""
        return count(text, bits=self._bits)

    def submit_answer(self, response: Response) -> SubmitAnswer:
        """What the centre says to one part. Without a time stamp no report will find it."""
        if type(response) is SubmitResp and not response.error:
            destination, stamp = response.submitted[0] if response.submitted else ("", "")
            return SubmitAnswer(SubmitOutcome.ACCEPTED, key_of(destination, stamp))
        if type(response) is Nack or not response.error:
            why = "the centre could not read the packet" if type(response) is Nack else "general error"
            return SubmitAnswer(SubmitOutcome.TEMPORARY, sentence=why)
        error = response.error
        kind = "general error " if type(response) is GeneralError else "error "
        sentence = kind + codes.sentence(error) + said(response.error_text, _SAID_MAX)
        return SubmitAnswer(self._outcome_of(error), "", error, sentence)

    def _outcome_of(self, error: int) -> SubmitOutcome:
        if error in self._stays:
            return SubmitOutcome.PERMANENT
        if error == codes.CONGESTION or error in self._throttles:
            return SubmitOutcome.THROTTLED
        if error in self._passes or codes.is_temporary(error) or codes.is_session(error):
            return SubmitOutcome.TEMPORARY
        return SubmitOutcome.PERMANENT

    # --- what stands beside the text ----------------------------------------------------------------

    def destination_of(self, destination: str) -> str:
        """Parameter 021 of a subscriber."""
        number = self.numbers.outbound(destination)
        if not _ADDRESS.fullmatch(number):
            raise ValueError("a recipient of CIMD2 has digits only, 19 at most, behind a plus perhaps")
        return number

    def _write_sender(self, sender: str) -> tuple[str, str]:
        """Parameters 023 and 027 of a sender."""
        options = self._options
        if _ADDRESS.fullmatch(sender):
            if options.sender == "none":
                return "", ""
            if options.sender == "whole":
                return sender, ""
            if not sender.startswith(options.account_number):
                raise ValueError(f"a sender has to begin with account_number, {options.account_number}, or be a name")
            return sender.removeprefix(options.account_number), ""
        if not 0 < len(sender) <= _NAME_MAX or not _is_plain(sender):
            raise ValueError(f"a sender of CIMD2 is a number, or a name of at most {_NAME_MAX} letters of ASCII")
        return "", sender

    def _validity_of(self, valid_until: Instant, now: Instant) -> tuple[int | None, str]:
        """Parameters 050 and 051. What is over when it arrives is refused (305)."""
        how = self._options.validity
        if how == "none":
            return None, ""
        if how == "relative":
            return validity_code(max(0, valid_until - now) // MINUTE_MS), ""
        assert self._zone is not None, "read_zone refuses it"
        return None, write_time(max(valid_until, now + MINUTE_MS), self._zone)


_errors = partial(error_codes, digits=3, such_as="9, 310")


def _by_kind(link: Link, options: Cimd2Options, name: str, most: int) -> dict[bool, dict[str, int]]:
    """Whether it is premium → by sender."""
    return {
        premium: read_by_sender(link, row, getattr(options, row), most)
        for premium, row in ((False, name), (True, f"premium_{name}"))
    }


def _of_sender(numbers: dict[str, int], sender: str) -> int | None:
    return numbers.get(sender, numbers.get("")) if numbers else None


def _unless(value: int, absent: int) -> int | None:
    return None if value == absent else value


def _is_plain(name: str) -> bool:
    """Whether a name is the same octets with escapes and without: the sheet tells of none in 027."""
    try:
        return name.isascii() and name.isprintable() and write_text(name) == name.encode("ascii")
    except LocalError:
        return False
