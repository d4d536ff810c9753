"""TOML with line numbers: every way of writing a key is found on its line."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.provisioning.lines import Broken, Lines, Path, decode, read_toml

TEXT = '''\
# a comment with [brackets] = "and quotes"
top = 1
a.b . "c d" = 2

[table]   # a header
text = """
three = 3
""" # [not.a.table]
list = [ # comment
  1,
  [2, 3],
  { x = 1, y = "]}", z.w = [ 4 ] },
]
raw = \'\'\'
'quoted' \'\'\'
when = 1979-05-27 07:32:00Z
after = 'x # y'

[[array]]
name = "one"
[[array.inner]]
deep = 1
[[array.inner]]
deep = 2
[array.inner.sub]
key = true
[[array]]
"na.me" = "two"
[[array.inner]]
deep = 3
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("a", "b", "c d"), 3),
        (("table",), 5),
        (("table", "text"), 6),
        (("table", "list"), 9),
        (("table", "list", 0), 10),
        (("table", "list", 1, 1), 11),
        (("table", "list", 2, "y"), 12),
        (("table", "list", 2, "z", "w", 0), 12),
        (("table", "raw"), 14),
        (("table", "when"), 16),
        (("table", "after"), 17),
        (("array", 0), 19),
        (("array", 0, "inner", 1, "deep"), 24),
        (("array", 0, "inner", 1, "sub", "key"), 26),
        (("array", 1), 27),
        (("array", 1, "na.me"), 28),
        (("array", 1, "inner", 0, "deep"), 30),
        (("array", 1, "inner", 0, "missing"), 29),
        (("array", 1, "missing"), 27),
        (("nothing", "at", "all"), 1),
    ],
)
def test_a_key_is_found_on_its_line(path: Path, line: int) -> None:
    assert Lines(TEXT).of(path) == line
    assert Lines(TEXT.replace("\n", "\r\n")).of(path) == line


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[a]\nb = 1\nb = 2", 3, "a.b stands here again, after line 2; take one of them out"),
        ("a = [\n1]\n\na = [\n2,\n3]\nc = 1", 4, "a stands here again, after line 1; take one of them out"),
        ("[[a]]\nb = 1\n[[a]]\nb = 1\nb = 's3cret'\n", 5, "a.b stands here again, after line 4; take one of them out"),
        ("a.b = 1\na = 2", 2, "a stands here again, after line 1; take one of them out"),
        ("a = 1\na.b = '''\ns3cret = 1'''", 2, "a.b lies within what has a value already; take one of them out"),
        ("[a]\nb = 1\n[a.b]\n", 3, "a.b has a value already, so it is no table; take one of them out"),
        ("[a]\n[b]\n[a]\n", 3, "table [a] stands here again; join the two, or write [[a]] for several"),
    ],
)
def test_what_stands_twice_is_named_with_both_lines(text: str, line: int, said: str) -> None:
    for one in (text, text.replace("\n", "\r\n")):
        with pytest.raises(Broken) as caught:
            read_toml(one)

        assert (caught.value.line, str(caught.value)) == (line, said)


def test_a_remedy_is_said_once() -> None:
    with pytest.raises(Broken, match=r"^not UTF-8 \(byte 0xe9\); save the file as UTF-8$"):
        decode(b"\xe9")
    with pytest.raises(Broken, match=r"^Invalid value; correct the syntax$"):
        read_toml("a = \n")


_PIECES = ["a", '"b c"', ".", "=", "1", "[", "]", "\n", "{", "}", ",", "[a]\n", "[[b]]\n", "a=1\n", "b.a=2\n", "#c\n"]


@given(st.lists(st.sampled_from([*_PIECES, "'''\n'''"]), max_size=14))
@settings(max_examples=500, deadline=None)
def test_every_text_is_read_or_told_in_a_sentence(pieces: list[str]) -> None:
    said = ""
    try:
        read_toml("".join(pieces))
    except Broken as error:
        said = str(error)

    assert not said or "; " in said


def test_what_is_no_toml_names_its_line() -> None:
    for text, line in (("a = 1\nb = \n", 2), ("a = [\n1,\n", 2), ("a = 1\n\n\nb", 4), ('a = """\n\n', 1)):
        with pytest.raises(Broken) as caught:
            read_toml(text)
        assert caught.value.line == line, text
    with pytest.raises(Broken, match="nested too deeply"):
        read_toml("a = " + "[" * 100_000)
    with pytest.raises(Broken, match="cannot be read"):
        read_toml("a = " + "1" * 10_000)
    with pytest.raises(Broken, match="0xe9") as caught:
        decode(b"a\n\xe9")
    assert caught.value.line == 2


_values = st.recursive(
    st.integers()
    | st.booleans()
    | st.sampled_from(['"x"', "'y'", '"""\n[a]\n"""', '"\\""', "'''\n'a = 1'\n'''", "1.5"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


def written(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", # c\n".join(written(one) for one in value) + "\n]"
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(values=st.lists(_values, max_size=6))
@settings(max_examples=200, deadline=None)
def test_every_value_is_found_where_it_was_written(values: list[Any]) -> None:
    text, lines = "", []
    for number, value in enumerate(values):
        text += f"[[t{number}]]\n"
        lines.append(text.count("\n") + 1)
        text += f"key = {written(value)}\n"

    found = Lines(text)

    assert tomllib.loads(text).keys() == {f"t{number}" for number in range(len(values))}
    assert [found.of((f"t{number}", 0, "key")) for number in range(len(values))] == lines
