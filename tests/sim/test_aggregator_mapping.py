"""The pocket aggregator's tables are those of a link's options, and an example of conf/ is read as it stands."""

from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserMistake
from sim.aggregator import mapping as pocket
from sim.aggregator.mapping import EXAMPLE, unmirrored
from smsc_link.protocols.http import options as link
from tests.sim.mappings import mapping
from tollbridge.commands.sim_http import read_like

CONF = Path("conf")
TABLES = ("Said", "MoTable", "ReceiptTable", "GateTable", "SignTable", "AnswerTable", "SubmitTable")


def _plain(value: Any) -> Any:
    """Tables of both sides, to be compared."""
    if is_dataclass(value):
        return {row.name: _plain(getattr(value, row.name)) for row in fields(value)}
    return value


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_one_of_the_links_with_its_default(name: str) -> None:
    theirs: dict[str, Any] = {row.name: row.default for row in fields(getattr(link, name))}

    for row in fields(getattr(pocket, name)):
        assert row.default is not MISSING
        ours, wanted = _plain(row.default), _plain(theirs[row.name])
        if isinstance(ours, dict):
            wanted = {key: wanted[key] for key in ours}
        assert ours == wanted, f"{name}.{row.name}"


def test_what_is_built_in_is_the_simplest_example() -> None:
    like = read_like(CONF / "http-query.toml", "")

    assert {**_plain(like.mapping), "number_of": None} == {**_plain(EXAMPLE), "number_of": None}
    assert (like.listen, like.response_timeout_s) == ("", 15)


def test_the_address_of_the_links_requests_is_listened_at_where_it_is_of_this_machine() -> None:
    assert read_like(CONF / "http-kannel.toml", "").listen == "127.0.0.1:13013"
    assert read_like(CONF / "http-json.toml", "alpha-json").sends_to == "https://api.alpha.example:443"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ('kind = "hmac"', 'kind = "certificate"\n    certificate = "alpha.example"'),
            "option auth.kind: a client certificate is the operator's own",
        ),
        (('"messages.0.text" = "{text}"', ""), "no parameter holds {destination}, or none the text"),
        (('source = "message.from"', 'sauce = "message.from"'), "no option mo.sauce; did you mean mo.source?"),
        (('password = "token of ours"', 'password_encrypted = "abc"'), "its secrets are encrypted"),
        (('secret = "key of theirs"', 'secret_encrypted = "abc"'), "its secrets are encrypted"),
        (("port = 443", "port = 0"), "all.toml:25: link.port: must be from 1 to 65535"),
    ],
)
def test_what_cannot_be_played_is_said_in_one_line(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    text = (CONF / "http-json.toml").read_text()
    assert change[0] in text
    (tmp_path / "all.toml").write_text(text.replace(*change))

    with pytest.raises(UserMistake) as caught:
        read_like(tmp_path / "all.toml", "")

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_without_a_link_over_http_is_the_wrong_file() -> None:
    with pytest.raises(UserMistake, match=r"there is no .* with protocol http in it; name the file that has it"):
        read_like(CONF / "ucp-provisioning.toml", "")


def test_of_several_links_one_is_named(tmp_path: Path) -> None:
    text = (CONF / "http-json.toml").read_text()
    both = text + text[text.index("[[link]]") : text.index("[[short_code]]")].replace("alpha-json", "alpha-two")
    (tmp_path / "all.toml").write_text(both)

    assert read_like(tmp_path / "all.toml", "alpha-two").mapping.link == "alpha-two"
    for name, said in (("", "several links"), ("alpha-3", "no link alpha-3")):
        with pytest.raises(UserMistake, match=f"{said} over HTTP; say which by --link: alpha-json, alpha-two"):
            read_like(tmp_path / "all.toml", name)


def test_names_of_json_that_cannot_stand_together_are_said() -> None:
    mo = {"format": "json", "source": "message.from", "text": "message.0"}

    assert "mo.format: in JSON message.0 cannot stand beside" in unmirrored(mapping({"mo": mo}))
