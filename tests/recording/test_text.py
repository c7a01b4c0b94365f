from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.text import clean


def test_what_moves_the_cursor_or_reorders_is_shown():
    assert clean("a\x1b[31mb") == r"a\x1b[31mb"
    assert clean("a\nb\r\tc") == "a⏎b⏎ c"
    assert clean("x\u202egnp.exe") == r"x\u202egnp.exe"
    assert clean("a\u200bb\U000e0001") == r"a\u200bb\U000e0001"
    assert clean("\udcff") == r"\udcff"
    assert clean("Grüße 日本 😀 ∂") == "Grüße 日本 😀 ∂"


def test_long_text_keeps_head_and_tail():
    assert clean("abcdefghij", 5) == "ab…ij"
    assert clean("abcdefghij", 1) == "…"
    assert clean("a" * 10**7 + "z", 9).endswith("z")
    with pytest.raises(ValueError, match="at least 1"):
        clean("a", 0)


@given(st.text(), st.integers(1, 30))
def test_any_text_is_one_printable_line(text, limit):
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
