"""GSM 03.38 (3GPP TS 23.038): the alphabet and the count (req 53)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertd.engine.gsm7 import foreign, septets, to_gsm7


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("Rm 204", 6), ("€", 2), ("[x]", 5), ("{}\\^~|", 12), ("ÅåÄäÖöÑñÜüß@£¥§¿¡", 17), ("ΔΦΓΛΩΠΨΣΘΞ", 10)],
)  # fmt: skip
def test_septets(text, count):
    assert septets(text) == count


@pytest.mark.parametrize("character", ["’", "–", "“", "ç", "`", "…", "\u00a0", "字", "\t", "\x1b"])
def test_one_foreign_character_makes_a_text_unplain(character):
    """A lower-case ç is not in the alphabet, the capital is; the escape itself is no character."""
    assert septets(f"Rm 204{character}") is None
    assert foreign(f"a{character}b{character}") == character


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“Peña’s” – Rm 204", '"Peña\'s" - Rm 204'),
        ("Hernández", "Hernandez"),
        ("e\u0301", "é"),
        ("zero\u200bwidth\ufe0f", "zerowidth"),
        ("no\u00a0break", "no break"),
        ("№ 5…", "No 5..."),
    ],
)  # fmt: skip
def test_transliteration(text, plain):
    assert to_gsm7(text) == plain


@given(st.text())
def test_everything_becomes_plain_and_stays_so(text):
    plain = to_gsm7(text)

    assert septets(plain) is not None
    assert to_gsm7(plain) == plain


@given(st.text(alphabet="abc XYZ019.,:;!?@£éÑ\n"))
def test_plain_text_is_left_alone(text):
    assert to_gsm7(text) == text
