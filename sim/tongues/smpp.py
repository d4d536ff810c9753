"""A centre that speaks SMPP: texts to deliver_sm, submissions to what they say and to receipts.

SmppTongue   the tongue (sim/tongue.py)
mo_parts     an MO as one deliver_sm or as many, long ones by the way that a centre has
mt_text      what a submit_sm says, and which part of which long message it is
receipt_of   the deliver_sm that tells what became of a submit_sm

Source: the SMPP sheet's sections 3, 7, 8 and 9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType

from core.clock import Instant
from core.sms.alphabet import Alphabet, coding_of, data_coding_of, encode
from core.sms.parts import Piece, headers, piece_of, read_header, split
from sim.fates import Remembered
from sim.quirks import ID_FORMS, Quirks
from sim.subscribers import Fate, Written
from sim.tongue import Login, Submission
from wire.smpp import status as st
from wire.smpp import tlvs as tlv
from wire.smpp.codec import response_to
from wire.smpp.operations import (
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    DeliverSm,
    Outbind,
    QuerySm,
    ReplaceSm,
    Response,
    SubmitSm,
    Unbind,
    user_data,
)
from wire.smpp.receipts import receipt_tlvs, write_receipt
from wire.smpp.session import SmppSession
from wire.smpp.settings import Settings
from wire.smpp.times import write_absolute

_UDHI = 0x40
_RECEIPT = 0x04
_ENROUTE = 1
_VERSION = (tlv.write_tlv(tlv.SC_INTERFACE_VERSION, 0x34),)


class SmppTongue:
    """SMPP 3.4."""

    logins: frozenset[type] = frozenset({BindTransceiver, BindReceiver, BindTransmitter})
    submissions: frozenset[type] = frozenset({SubmitSm})
    questions: frozenset[type] = frozenset({QuerySm})
    cancels: frozenset[type] = frozenset({CancelSm})
    replaces: frozenset[type] = frozenset({ReplaceSm})
    throttled = st.RTHROTTLED
    refused = st.RSUBMITFAIL
    unknown_account = st.RINVSYSID
    wrong_password = st.RINVPASWD
    status_max = 0xFFFFFFFF
    never: Mapping[str, tuple[object, ...]] = MappingProxyType({"login": (), "banner": (), "mo_operation": ()})

    status_of = staticmethod(attrgetter("status"))
    is_temporary = staticmethod(st.is_temporary)
    sentence = staticmethod(st.sentence)

    def session(self, quirks: Quirks, now_ms: int) -> SmppSession:
        """A fresh machine."""
        settings = Settings(
            window=quirks.window,
            window_in=1_000_000,
            response_timeout_ms=int(1000 * quirks.response_timeout_s),
            enquire_ms=int(1000 * quirks.enquire_s),
            inactivity_ms=int(1000 * quirks.inactivity_s),
            serves=self.questions | self.cancels | self.replaces,
        )
        return SmppSession("smsc", settings, now_ms=now_ms)

    def call(self, quirks: Quirks, now_ms: int) -> tuple[SmppSession, Outbind]:
        """An outbind; the client binds then."""
        password = next(iter((quirks.accounts or {}).values()), "")
        return self.session(quirks, now_ms), Outbind(system_id=quirks.system_id, password=password)

    def read_login(self, login: Bind) -> Login:
        """A bind."""
        return Login(login.system_id, (login.password,), not isinstance(login, BindTransmitter))

    def answer_login(self, login: Bind, status: int, quirks: Quirks) -> Response:
        """A refused one has a body too."""
        if status:
            return response_to(login, status, system_id=quirks.system_id)
        return response_to(login, system_id=quirks.system_id, tlvs=_VERSION)

    def parts(self, written: Written, quirks: Quirks, *, number: int, reference: int, now: Instant) -> list[DeliverSm]:
        """An MO; its number in a TLV, where a centre has one."""
        identity = (tlv.write_tlv(quirks.id_tlv, f"{number:010d}"),) if quirks.id_tlv else ()
        return mo_parts(written, way=quirks.long_messages, reference=reference, identity=identity)

    def read(self, submit: SubmitSm) -> Submission:
        """A submit_sm."""
        text, piece = mt_text(submit)
        wants = bool(submit.registered_delivery & 3)
        return Submission(submit.source_addr, submit.destination_addr, text, piece, wants)

    def ids(self, submit: SubmitSm, quirks: Quirks, *, number: int, now: Instant) -> tuple[str, str]:
        """The message id in both its spellings."""
        in_answer, in_receipt = ID_FORMS[quirks.message_ids]
        return in_answer(number), in_receipt(number)

    def answer(self, submit: SubmitSm, status: int, message_id: str) -> Response:
        """A submit_sm_resp."""
        values = {} if status else {"message_id": message_id}
        return response_to(submit, status, **values)

    def receipt(self, submit: SubmitSm, message_id: str, fate: Fate, quirks: Quirks, *, now: Instant) -> DeliverSm:
        """A receipt in the centre's form."""
        return receipt_of(submit, message_id, fate, form=quirks.receipts, submitted_ms=now, done_ms=now)

    def filed(self, submit: SubmitSm, message_id: str) -> str:
        """By its id, as the answer had it."""
        return message_id

    def asked(self, question: QuerySm) -> str:
        """That id."""
        return question.message_id

    def tell(self, question: QuerySm, found: Sequence[Remembered], now: Instant) -> tuple[Response, None]:
        """A query_sm_resp. The sender must be that of the submission."""
        sender = _sender_of(question)
        for one in found:
            if sender != _sender_of(one.submit):
                continue
            fate = one.fate
            if fate is None:
                return response_to(question, message_id=question.message_id, message_state=_ENROUTE), None
            done = write_absolute(now)
            return response_to(
                question,
                message_id=question.message_id,
                final_date=done,
                message_state=fate.state,
                error_code=int(fate.error),
            ), None
        return self.refuse(question, "failed"), None

    def refuse(self, question: QuerySm, how: str) -> Response:
        """A status."""
        return response_to(question, st.RINVCMDID if how == "unknown" else st.RQUERYFAIL)

    def named(self, change: CancelSm | ReplaceSm) -> str | None:
        """A message id; a cancel_sm without one means all from its sender to its recipient."""
        return None if isinstance(change, CancelSm) and not change.message_id else change.message_id

    def means(self, change: CancelSm | ReplaceSm, submit: SubmitSm, message_id: str) -> bool:
        """The sender is that of the submission; so is the recipient, which a message id may stand for."""
        if _sender_of(change) != _sender_of(submit):
            return False
        if isinstance(change, ReplaceSm):
            return True
        if change.message_id and not change.destination_addr:
            return True
        recipient = change.dest_addr_ton, change.dest_addr_npi, change.destination_addr
        if recipient != (submit.dest_addr_ton, submit.dest_addr_npi, submit.destination_addr):
            return False
        return bool(change.message_id) or change.service_type in ("", submit.service_type)

    def replaced(self, change: ReplaceSm, submit: SubmitSm) -> SubmitSm:
        """It keeps its data_coding, and its times where none are said."""
        return replace(
            submit,
            schedule_delivery_time=change.schedule_delivery_time or submit.schedule_delivery_time,
            validity_period=change.validity_period or submit.validity_period,
            registered_delivery=change.registered_delivery,
            sm_default_msg_id=change.sm_default_msg_id,
            short_message=user_data(change),
            tlvs=tuple(one for one in submit.tlvs if one[0] != tlv.MESSAGE_PAYLOAD),
        )

    def wants_cancelled(self, submit: SubmitSm) -> bool:
        """That it was deleted is a failure, so whoever wants any receipt wants that one."""
        return bool(submit.registered_delivery & 3)

    def made(self, change: CancelSm | ReplaceSm, made: Sequence[Remembered]) -> tuple[Response, None]:
        """A response without a body."""
        return response_to(change), None

    def refuse_change(self, change: CancelSm | ReplaceSm, how: str) -> Response:
        """A status: an id that was never given is a fault of its own."""
        if how == "unknown":
            return response_to(change, st.RINVCMDID)
        if how == "absent" and change.message_id:
            return response_to(change, st.RINVMSGID)
        return response_to(change, st.RCANCELFAIL if isinstance(change, CancelSm) else st.RREPLACEFAIL)

    def goodbye(self) -> Unbind:
        """An unbind."""
        return Unbind()


def mo_parts(written: Written, *, way: str, reference: int, identity: tlv.Tlvs = ()) -> list[DeliverSm]:
    """One deliver_sm per part. `identity` goes into each, as the TLV by which a centre numbers its MO."""
    bits = 16 if way == "udh16" else 8
    parts = split(written.text, bits=bits)
    data_coding = data_coding_of(parts.alphabet)
    if parts.parts == 1:
        return [_deliver(written, 0, data_coding, parts.chunks[0], identity)]
    if way == "payload":
        payload = b"".join(parts.chunks) if parts.alphabet is Alphabet.GSM7 else encode(written.text, Alphabet.UCS2)
        return [_deliver(written, 0, data_coding, b"", (*identity, (tlv.MESSAGE_PAYLOAD, payload)))]
    total = parts.parts
    if way == "sar":
        return [
            _deliver(written, 0, data_coding, chunk, (*identity, *_sar(reference & 0xFFFF, total, number)))
            for number, chunk in enumerate(parts.chunks, 1)
        ]
    return [
        _deliver(written, _UDHI, data_coding, header + chunk, identity)
        for chunk, header in zip(parts.chunks, headers(reference, total, bits))
    ]


def mt_text(submit: SubmitSm) -> tuple[str, Piece | None]:
    """The text of one part, and its place."""
    octets = user_data(submit)
    piece: Piece | None = None
    if submit.esm_class & _UDHI:
        header = read_header(octets)
        if header is not None:
            octets, piece = octets[header.octets :], header.piece
    elif submit.tlvs:
        reference = tlv.read_int(submit.tlvs, tlv.SAR_MSG_REF_NUM)
        total = tlv.read_int(submit.tlvs, tlv.SAR_TOTAL_SEGMENTS)
        number = tlv.read_int(submit.tlvs, tlv.SAR_SEGMENT_SEQNUM)
        if reference is not None and total is not None and number is not None:
            piece = piece_of(reference=reference, total=total, sequence=number)
    return coding_of(submit.data_coding).decode(octets), piece


def receipt_of(
    submit: SubmitSm, message_id: str, fate: Fate, *, form: str, submitted_ms: int, done_ms: int
) -> DeliverSm:
    """The receipt, as text, as TLVs or both; from the handset to the sender."""
    text = write_receipt(
        message_id,
        fate.state,
        submit_ms=submitted_ms,
        done_ms=done_ms,
        err=fate.error,
        text=mt_text(submit)[0].encode("ascii", "replace").decode(),
    )
    return DeliverSm(
        source_addr_ton=submit.dest_addr_ton,
        source_addr_npi=submit.dest_addr_npi,
        source_addr=submit.destination_addr,
        dest_addr_ton=submit.source_addr_ton,
        dest_addr_npi=submit.source_addr_npi,
        destination_addr=submit.source_addr,
        esm_class=0 if form == "classless" else _RECEIPT,
        short_message=b"" if form == "tlv" else text.encode("ascii"),
        tlvs=receipt_tlvs(message_id, fate.state) if form in ("tlv", "both") else (),
    )


def _sender_of(operation: SubmitSm | QuerySm | CancelSm | ReplaceSm) -> tuple[int, int, str]:
    return operation.source_addr_ton, operation.source_addr_npi, operation.source_addr


def _deliver(written: Written, esm_class: int, data_coding: int, octets: bytes, tlvs: tlv.Tlvs) -> DeliverSm:
    return DeliverSm(
        tlvs=tlvs,
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=written.source,
        dest_addr_ton=3,
        destination_addr=written.destination,
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=octets,
    )


def _sar(reference: int, total: int, number: int) -> tlv.Tlvs:
    return (
        tlv.write_tlv(tlv.SAR_MSG_REF_NUM, reference),
        tlv.write_tlv(tlv.SAR_TOTAL_SEGMENTS, total),
        tlv.write_tlv(tlv.SAR_SEGMENT_SEQNUM, number),
    )
