"""Charsets whose names may come from outside: an operator's options, a partner's answer.

charset_named   a name as people write it → Python's name of that charset, "" for all that is none

Rule: only what reads any octets with errors="replace", and writes text. What Python calls a codec may as well be a
program or no text at all: hex, rot13, idna, punycode, undefined, unicode_escape.
"""

import codecs
from functools import lru_cache

CHARSETS = frozenset(
    "utf-8 utf-8-sig ascii utf-16 utf-16-le utf-16-be koi8-r koi8-u gbk gb2312 gb18030 big5 shift_jis euc_jp euc_kr "
    "iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10 iso8859-11 "
    "iso8859-13 iso8859-14 iso8859-15 iso8859-16 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 "
    "cp437 cp850 cp852 cp855 cp857 cp858 cp860 cp866 cp874 tis-620 mac-roman mac-cyrillic hp-roman8".split()
)
"""As codecs.lookup() names them."""


@lru_cache(maxsize=256)
def charset_named(name: str) -> str:
    """`Windows-1251` → `cp1251`; "" for what is no charset that we read."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return found if found in CHARSETS else ""
