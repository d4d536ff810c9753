"""What a partner's HTTP answer means (interfaces.md, section 4). Pure.

RawAnswer     status, the headers that matter, the body as it came (at most 64 KiB)
read_answer   RawAnswer → Answer: a reply, silence, later, a final refusal, or again with the reason
failure       an Answer for what never became an HTTP answer

| answer                                    | means                                                         |
|-------------------------------------------|---------------------------------------------------------------|
| 200 text/*, any body                      | the body goes to the subscriber (line ends behind it do not)  |
| 200 text/*, begins like an HTML page      | a failure that says so                                        |
| 200 JSON                                  | `{"reply": "…", "from": "…"}`, both may be missing or null    |
| 200 JSON with other keys, but not `reply` | nothing is sent, and the attempt says that `reply` is missing |
| 200 with nothing in it, 204               | nothing is sent                                               |
| 202                                       | the reply comes through the API, whatever the body            |
| 4xx other than 408, 425, 429              | a final refusal                                               |
| everything else                           | again                                                         |

`Service.mode` changes nothing of this: a service that answers later says 202; a body with 200 is a reply in either
mode. Where the service is async the attempt says so: an «OK» that a script prints by habit is an SMS, too.
"""

import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from core.clock import HOUR_MS, SECOND_MS, Instant, instant_of
from core.message import Answer, Outcome
from core.msisdn import mask_within
from core.sms.charsets import charset_named

EXCERPT_MAX = 2048
ERROR_MAX = 200
SENDER_MAX = 20
NO_REPLY = "the JSON has no key reply; nothing was sent"
"""A partner's slip of the pen, most likely: it must be seen, but an answer that came is not asked for again."""
SENT_AT_ONCE = "the service is async, yet this body went to the subscriber; answer 202 to reply later, 204 for no reply"
_PASSING = frozenset({408, 425, 429})


@dataclass(slots=True)
class RawAnswer:
    """An HTTP answer that arrived whole."""

    status: int
    body: bytes = b""
    content_type: str = ""
    content_encoding: str = ""
    retry_after: str = ""
    location: str = ""


def failure(error: str) -> Answer:
    """A failure that may pass, without an HTTP answer."""
    return Answer(Outcome.AGAIN, error=_sentence(error))


def read_answer(raw: RawAnswer, now: Instant, mode: str = "sync") -> Answer:
    """Judge an answer by its status, and a 200 by its body; `mode` is the service's."""
    answer = _judge(raw)
    if mode == "async" and answer.reply and not answer.error:
        answer.error = SENT_AT_ONCE
    answer.status = raw.status
    if raw.body:
        answer.excerpt = _excerpt(raw)
    if raw.retry_after and answer.outcome is Outcome.AGAIN:
        answer.retry_after_s = read_retry_after(raw.retry_after, now)
    return answer


def _judge(raw: RawAnswer) -> Answer:
    status = raw.status
    if status == 200:
        return _judge_body(raw)
    if status == 204:
        return Answer(Outcome.ANSWERED)
    if status == 202:
        return Answer(Outcome.LATER)
    if 400 <= status < 500 and status not in _PASSING:
        return Answer(Outcome.REFUSED, error=f"the partner refused the message with status {status}")
    if 300 <= status < 400:
        place = _place_of(raw.location)
        where = f" to {place}" if place else ""
        return failure(
            f"status {status} redirects{where}; redirects are not followed, put the final url into the service"
        )
    return failure(f"the partner answered with status {status}")


def _judge_body(raw: RawAnswer) -> Answer:
    """A 200: the reply, nothing, or a failure."""
    if not raw.body:
        return Answer(Outcome.ANSWERED)
    if raw.content_encoding and raw.content_encoding.strip().lower() != "identity":
        return failure(f"the answer is encoded ({raw.content_encoding[:40]}), but only identity was asked for")
    kind, charset = read_content_type(raw.content_type)
    is_text = kind.startswith("text/") and kind != "text/json"
    if not (is_text or kind in {"application/json", "text/json"} or kind.endswith("+json")):
        return failure(
            f"the answer's Content-Type is {kind[:60] or 'missing'}; it must be text/plain or application/json"
        )
    try:
        text = _decode(raw.body, charset)
    except UnicodeDecodeError:
        return failure(f"the answer is not valid {charset}")
    except LookupError:
        return failure(f"the answer's charset {charset[:40]} is unknown; send UTF-8")
    return _judge_text(text) if is_text else _judge_json(text)


def _judge_text(text: str) -> Answer:
    """The body is the reply. Scripts end their output with a line end that nobody means."""
    begin = text[:200].lstrip().lower()
    if begin.startswith(("<!doctype", "<html")):
        return failure("the answer is an HTML page, not the text of a reply")
    reply = text.rstrip("\r\n")
    return Answer(Outcome.ANSWERED, reply="" if reply.isspace() else reply)


def _judge_json(text: str) -> Answer:
    """`reply` and `from` as strings; what else stands there is ignored, but never taken for silence without a word."""
    if text.isspace():
        return Answer(Outcome.ANSWERED)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return failure("the answer says that it is JSON, but cannot be read as JSON")
    if not isinstance(content, dict):
        return failure('the JSON answer must be an object like {"reply": "…"}')
    reply, sender = content.get("reply"), content.get("from")
    if not isinstance(reply, str | None) or not isinstance(sender, str | None):
        return failure("reply and from in the JSON answer must be strings")
    if not _is_whole(reply or ""):
        return failure("the JSON answer has half of a surrogate pair in it")
    # What a source address of a message can carry (SMPP 3.4, 5.2.8); a link would have to refuse the reply.
    if sender and not (len(sender) <= SENDER_MAX and sender.isascii() and sender.isprintable()):
        return failure(f"from in the JSON answer must be 1 to {SENDER_MAX} printable ASCII characters")
    error = NO_REPLY if content and "reply" not in content else ""
    return Answer(Outcome.ANSWERED, reply=reply or "", sender=sender or "", error=error)


@lru_cache(maxsize=256)
def read_content_type(header: str) -> tuple[str, str]:
    """`Text/HTML; charset="UTF-8"` → (`text/html`, `utf-8`). Without a charset it is UTF-8."""
    kind, *rest = header.split(";")
    charset = ""
    for parameter in rest:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'").lower()
            break
    return kind.strip().lower(), charset or "utf-8"


def _decode(body: bytes, charset: str) -> str:
    """Raises LookupError for a charset that we do not read, UnicodeDecodeError for octets that are none of it."""
    if charset != "utf-8" and not charset_named(charset):
        raise LookupError(charset)
    return body.decode(charset).removeprefix("\ufeff")


def _is_whole(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def read_retry_after(header: str, now: Instant) -> int:
    """Seconds to wait: a number, or a date of HTTP; 0 where it is neither, or past; an hour at most."""
    value = header.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:12]), HOUR_MS // SECOND_MS)
    try:
        moment = instant_of(parsedate_to_datetime(value))
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0
    return max(0, min(-((now - moment) // SECOND_MS), HOUR_MS // SECOND_MS))


def _excerpt(raw: RawAnswer) -> str:
    """The first 2 KiB of the body for a person to read; compressed octets are not."""
    if raw.content_encoding:
        return ""
    _, charset = read_content_type(raw.content_type)
    begin = raw.body[:EXCERPT_MAX]
    return begin.decode(charset if charset_named(charset) else "utf-8", "replace").replace("\0", "\ufffd")


def _place_of(location: str) -> str:
    """Scheme, host and path, shortened. Behind them stands what we asked with: a subscriber's number and text."""
    try:
        place = urlsplit(location)
    except ValueError:
        return "what is no URL"
    host = place.netloc.rpartition("@")[2]
    return urlunsplit((place.scheme, host, place.path, "", ""))[:100]


def _sentence(text: str) -> str:
    """One line of at most 200 characters, without control characters; people see it, so no number in it is whole."""
    line = mask_within("".join(character if character.isprintable() else " " for character in text))
    return line if len(line) <= ERROR_MAX else line[: ERROR_MAX - 1] + "…"
