"""What the API takes and shows, as pydantic models: openapi.py describes them, messages.py and account.py fill them.

ReplyBody, QueuedReply          POST /v1/messages/{id}/reply
MoView, MtView                  GET /v1/messages/{id}
BalanceView                     GET /v1/balance
TopUpBody, TopUpView            POST /v1/top-ups
PayoutBody, PayoutView          POST and GET /v1/payouts

Rule: ids and amounts are strings (an id has 63 bits, JavaScript's numbers 53), times ISO 8601 in UTC, or null.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

TEXT_MAX = 255 * 153
"""More characters than any chain of 255 parts can carry."""

State: TypeAlias = Literal["queued", "submitted", "delivered", "failed", "expired", "unknown", "rejected", "cancelled"]
MessageId: TypeAlias = Annotated[str, Field(pattern="^[0-9]{1,19}$", examples=["884321890123776"])]
Amount: TypeAlias = Annotated[str, Field(pattern=r"^-?[0-9]+\.[0-9]{2,6}$", examples=["12.00"])]
Moment: TypeAlias = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Model(BaseModel):
    """Unknown keys are mistakes, and nothing is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ReplyBody(Model):
    """The reply to an MO."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=TEXT_MAX)] = Field(
        description="What the subscriber gets; split into parts as needed."
    )


class QueuedReply(Model):
    """A reply that is durable and on its way."""

    id: MessageId
    reply_to: MessageId
    state: State
    parts: int


class Step(Model):
    """A state that the message reached."""

    state: State
    at: Moment
    reason: str


class MtView(Model):
    """A message to a subscriber. A reply costs nothing."""

    kind: Literal["mt"]
    id: MessageId
    reply_to: MessageId | None
    state: State
    to: str
    sender: str = Field(serialization_alias="from")
    text: str
    parts: int
    price: Amount
    currency: str
    created_at: Moment
    submitted_at: Moment | None
    final_at: Moment | None
    valid_until: Moment | None
    error: str
    history: list[Step]


class CallbackView(Model):
    """How the partner was called."""

    state: Literal["waiting", "answered", "later", "refused", "dead"]
    attempts: int
    tried_at: Moment | None
    due_at: Moment | None
    status: int
    error: str


class MoView(Model):
    """A message from a subscriber; `state` is its reply's, null without one."""

    kind: Literal["mo"]
    id: MessageId
    state: State | None
    msisdn: str
    short_code: str
    prefix: str
    service: str
    text: str
    operator: str
    country: str
    price: Amount
    share: Amount
    currency: str
    held: bool
    time: Moment
    parts: int
    test: bool
    callback: CallbackView | None
    reply: MtView | None


class CurrencyBalance(Model):
    """The partner's money in one currency."""

    currency: str
    earnings: Amount = Field(description="Earned, not yet paid.")
    held: Amount = Field(description="Earned, but withheld until it is looked into.")
    prepaid: Amount = Field(description="Paid in, for outgoing messages.")
    reserved: Amount = Field(description="Set aside for messages on their way.")
    payout: Amount = Field(description="Requested or under way.")


class BalanceView(Model):
    """A line per currency."""

    balances: list[CurrencyBalance]


class TopUpBody(Model):
    """A payment that is to be made."""

    provider: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        description="By whom it is paid; ask us which providers there are.", examples=["yoomoney"]
    )
    amount: Annotated[str, StringConstraints(min_length=1, max_length=20)] = Field(
        description="In the provider's currency, with the digits of its minor unit.", examples=["1000.00"]
    )


class PayView(Model):
    """Where it is paid: a link (GET), or a form to be sent there (POST)."""

    method: Literal["GET", "POST"]
    url: str
    fields: dict[str, str] = Field(description="The fields of the form; with GET they are in the URL already.")


class TopUpView(Model):
    """A payment that is expected; your balance rises when the provider has told us of it."""

    id: MessageId
    provider: str
    amount: Amount
    currency: str
    pay: PayView


class PayoutBody(Model):
    """The partner asks for its money."""

    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = Field(examples=["RUB"])
    amount: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = Field(
        default=None, description="Without it all that may be paid.", examples=["1000.00"]
    )


PayoutState: TypeAlias = Literal["requested", "approved", "sending", "sent", "paid", "failed", "returned", "cancelled"]


class PayoutView(Model):
    """Money on its way to the partner."""

    id: MessageId
    amount: Amount
    currency: str
    state: PayoutState
    requested_at: Moment
    ended_at: Moment | None
    reason: str = Field(description="Why it failed, came back or was cancelled.")


class PayoutsView(Model):
    """The latest first."""

    payouts: list[PayoutView]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: dict[str, str] | None = None
