"""The pages say what is: every key, option, metric and invariant is in the reference, the examples of code work.

Rule: a page that is read while something burns must not name what is not there.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import BaseModel

import store.provisioning.remarks as remarked
from partner_api.dispatch.callback import encode_form, encode_json, sign
from partner_api.http.app import ROUTES
from smsc_link.keeping import Counts
from smsc_link.options import Common, describe
from smsc_link.protocols.http.options import HttpOptions
from smsc_link.protocols.smpp.options import SmppOptions
from smsc_link.protocols.ucp.options import UcpOptions
from store.audit import INVARIANTS
from store.provisioning.elements import Document
from tests.house.tree import ROOT, product
from tests.partners import a_callback
from tollbridge.config import KEYS
from traffic import accept, asking, cancelling, dispatch, endings, replacing, ussd

DOCS = ROOT / "docs"
BESIDE = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")


@cache
def page(name: str) -> str:
    """A page of docs/."""
    return (DOCS / f"{name}.md").read_text("utf-8")


def section(name: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    begin = page(name).index(f"\n{heading}") + 1
    end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(page(name), begin + len(heading))
    return page(name)[begin : end.start() if end else None]


def rows(text: str) -> set[str]:
    """What the tables of a text name in code in their first column."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_key_of_the_configuration_is_in_the_reference() -> None:
    # And the sections whose keys are each provider's own.
    assert rows(section("operators", "## 2. Configuration")) == {*KEYS, "payments.NAME.…"}


def test_every_key_of_the_provisioning_file_is_in_the_reference() -> None:
    for kind, field in Document.model_fields.items():
        element: Any = field.annotation.__args__[0]  # type: ignore[union-attr]
        text = section("operators", f"### `[[{kind}]]`")
        missing = [key for key in _keys_of(element) if not re.search(rf"`[^`]*\b{key}\b[^`]*`", text)]
        assert not missing, f"[[{kind}]]: {missing}"
        unknown = rows(text) - set(_keys_of(element)) - {kind}
        assert not unknown, f"[[{kind}]] has no {unknown}"


def _keys_of(element: type[BaseModel]) -> list[str]:
    """The keys of an element, and of the tables inside it."""
    found = []
    for name, field in element.model_fields.items():
        found.append(field.alias or name)
        for inner in getattr(field.annotation, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found += _keys_of(inner)
    return found


def test_every_remark_of_a_load_is_in_the_reference() -> None:
    table = rows(section("operators", "## 3. Provisioning").partition("| remark | means |")[2].partition("\n\n")[0])
    told = set(_remarks())
    found = {row: {one for one in told if _begins(one, row)} for row in table}

    assert len(told) > 8, "they are still read from the source"
    assert {row: len(those) for row, those in found.items()} == dict.fromkeys(table, 1), "a remark for each row"
    assert set().union(*found.values()) == told, "a row for each remark"


def _begins(remark: str, row: str) -> bool:
    """Whether the row is the remark up to a stop; what a load fills in is «…» in both."""
    return bool(re.match(re.escape(row).replace("…", ".+") + r"(?=[:;,]|$)", remark))


def _remarks() -> Iterator[str]:
    """What store/provisioning/remarks.py yields: pairs of whom and what, and sentences whose caller knows of whom."""
    tree = ast.parse((ROOT / "store/provisioning/remarks.py").read_text("utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    of_whom = {}
    for loop in ast.walk(functions["remarks"]):
        if isinstance(loop, ast.For) and isinstance(loop.iter, ast.Call) and ast.unparse(loop.iter.func) in functions:
            of_whom[ast.unparse(loop.iter.func)] = _pair(next(_yielded(loop)))[0]
    for node in _yielded(functions["remarks"]):
        if not isinstance(_pair(node)[1], ast.Name):
            yield " ".join(map(_words, _pair(node)))
    for name, whom in of_whom.items():
        for node in _yielded(functions[name]):
            yield f"{_words(whom)} {_words(node)}"


def _yielded(place: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(place):
        if isinstance(node, ast.Yield) and node.value is not None:
            yield node.value


def _pair(node: ast.expr) -> tuple[ast.expr, ast.expr]:
    assert isinstance(node, ast.Tuple), ast.unparse(node)
    whom, what = node.elts
    return whom, what


def _words(node: ast.expr) -> str:
    """A text as one reads it: its numbers that are constants, and «…» for what a load fills in."""
    pieces = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(
        str(piece.value) if isinstance(piece, ast.Constant) else str(vars(remarked).get(ast.unparse(piece.value), "…"))
        for piece in pieces
        if isinstance(piece, ast.Constant | ast.FormattedValue)
    )


def test_every_option_of_a_link_is_in_the_reference() -> None:
    assert rows(section("operators", "## 4. Options")) == {name for name, _, _ in describe(SmppOptions)}


def test_every_option_of_a_link_over_http_is_in_the_reference() -> None:
    common = {name for name, _, _ in describe(Common)}

    assert rows(section("operators", "## 17. HTTP links")) == {name for name, _, _ in describe(HttpOptions)} - common


def test_every_option_of_a_link_over_ucp_is_in_the_reference() -> None:
    common = {name for name, _, _ in describe(Common)}

    assert rows(section("operators", "## 19. UCP links")) == {name for name, _, _ in describe(UcpOptions)} - common


def test_every_metric_is_in_the_reference() -> None:
    text = section("operators", "## 6. Health")
    named = {name.partition("{")[0].removesuffix("_total") for name in rows(text)}
    stations = (
        *(("mo", accept.Counted), ("callback", dispatch.Counted), ("mt", endings.Counted), ("ussd", ussd.Counted)),
        *(("question", asking.Counted), ("cancel", cancelling.Counted), ("replace", replacing.Counted)),
    )
    made = {f"tollbridge_{station}_{row.name}" for station, counted in stations for row in fields(counted)}
    made |= {f"tollbridge_link_{row.name}" for row in fields(Counts)} | {"tollbridge_link_bound"}
    written = {
        found
        for module in product()
        if module.package in {"tollbridge", "smsc_link", "partner_api", "traffic", "store"}
        for found in re.findall(r'(?:counter|gauge|histogram)\(\s*"(tollbridge_\w+)"', module.text)
    }

    assert named == made | written


def test_every_invariant_of_the_audit_is_explained() -> None:
    text = section("money", "## 7. The audit")

    for name, sentence in INVARIANTS.items():
        assert f"| {name} | {sentence} |" in text, name


def test_every_call_of_the_api_is_in_the_reference() -> None:
    assert rows(section("partners", "## 5. The HTTP API")) >= {f"{route.method} {route.path}" for route in ROUTES}


def test_the_examples_of_a_callback_are_what_is_sent() -> None:
    callback = a_callback("https://partner.example/mo", text="GAME 7", body="7")

    for content in (encode_form(callback).encode(), encode_json(callback)):
        assert content.decode() in page("partners")
        assert sign(b"s3cret", content, 1_795_507_865_999) in page("partners")


def test_the_check_of_a_signature_in_python_accepts_ours_and_nothing_else() -> None:
    names: dict[str, Any] = {}
    (code,) = re.findall(r"```python\n(.*?)```", page("partners"), re.DOTALL)
    exec(code, names)
    is_ours = names["is_ours"]
    content = encode_form(a_callback("https://partner.example/mo")).encode()
    header = sign(b"s3cret", content, 1_795_507_865_000)

    assert is_ours(b"s3cret", header, content, now=1_795_507_900)
    assert not is_ours(b"another", header, content, now=1_795_507_900)
    assert not is_ours(b"s3cret", header, content + b"&", now=1_795_507_900)
    assert not is_ours(b"s3cret", header, content, now=1_795_509_900)
    assert not is_ours(b"s3cret", "", content)


def test_every_decision_is_in_the_list_and_says_when_to_think_again() -> None:
    listed = set(re.findall(r"\]\((\w[\w-]*)\.md\)", (DOCS / "decisions" / "README.md").read_text("utf-8")))
    there = {path.stem for path in (DOCS / "decisions").glob("*.md")} - {"README"}

    assert listed == there
    for name in there:
        text = (DOCS / "decisions" / f"{name}.md").read_text("utf-8")
        headings = ["## The question", "## What was weighed", "## What was chosen", "## When to think again"]
        assert re.findall(r"^## .*$", text, re.MULTILINE) == headings, name


def test_every_link_between_the_pages_leads_somewhere() -> None:
    wrong = []
    for path in (*sorted(DOCS.rglob("*.md")), *BESIDE):
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text("utf-8")):
            name, _, anchor = target.partition("#")
            other = (path.parent / name).resolve() if name else path
            if not other.exists():
                wrong.append(f"{path.relative_to(ROOT)}: {target}")
            elif anchor and anchor not in _anchors(other.read_text("utf-8")):
                wrong.append(f"{path.relative_to(ROOT)}: {target}: no such heading")

    assert not wrong, "\n".join(wrong)


def _anchors(text: str) -> set[str]:
    """Headings as links name them: small letters, digits and dashes."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
