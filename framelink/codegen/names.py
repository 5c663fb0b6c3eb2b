"""Names that C, and C++, allow."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_C99 = """auto break case char const continue default do double else enum extern float for goto if
inline int long register restrict return short signed sizeof static struct switch typedef union
unsigned void volatile while"""
_CPP20 = """alignas alignof and and_eq asm bitand bitor bool catch char8_t char16_t char32_t class
co_await co_return co_yield compl concept const_cast consteval constexpr constinit decltype delete
dynamic_cast explicit export false friend mutable namespace new noexcept not not_eq nullptr operator
or or_eq private protected public reinterpret_cast requires static_assert static_cast template this
thread_local throw true try typeid typename using virtual wchar_t xor xor_eq"""
_MACROS = "errno far huge i386 interrupt linux near stderr stdin stdout typeof unix EOF NULL"
_KEYWORDS: Final = frozenset(f"{_C99} {_CPP20} {_MACROS}".split())
"""What no member may be called, in a header that C++ may include too."""


def word(text: str) -> str:
    """Return text in the letters that avr-gcc takes in names: `Größe 2` is Grosse_2."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    found = (_letter(one) for one in plain if not unicodedata.combining(one))
    return re.sub("_+", "_", "".join(found)).strip("_") or "_"


def member(text: str) -> str:
    """Return a name for a member of a struct: `class` is class_."""
    name = word(text)
    if name[0].isdigit():
        name = f"n{name}"
    return f"{name}_" if name in _KEYWORDS else name


def prefix(text: str) -> str:
    """Return what a device's names begin with, in small letters; `fl` is the core's own."""
    name = word(text).lower()
    return name if name[0].isalpha() and name != "fl" else f"device_{name.strip('_')}".rstrip("_")


def upper(*texts: str) -> str:
    """Return the name of a constant."""
    return "_".join(word(one) for one in texts).upper()


def _letter(one: str) -> str:
    if one.isascii():
        return one if one.isalnum() else "_"
    return f"u{ord(one):x}" if one.isalnum() else "_"
