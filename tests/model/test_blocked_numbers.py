"""Nothing may ever dial an emergency number, however it is written (req 62); honest numbers pass."""

import unicodedata

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType, shortnumberinfo

from alertd.model.blocked_numbers import ADDRESS_CHARS_MAX, EMERGENCY_NUMBERS, blocked

FORBIDDEN = """
911 112 933 988 999 000
9911 9,911 9w911 9-911 9;911 8,112 0112 1911 9,9,911 9,1,911 99911
+911 +1911 +1-911 +19911 +1(9)911 +44999 +44112 +440999 +49112 +61000 +353999 +353112 ++911
00911 00112 0044999 011911 901144999 9,011,44,999 00111911
9.1.1 9-1-1 (911) 9/1/1 9_1_1 [911] 9·1·1 9–1–1
９１１ ９,９１１ ＋１９１１ ①①② ⁹¹¹ ٩١١ ۹۹۹ ९११ 𝟗𝟏𝟏 九一一 〇〇〇 9️⃣1️⃣1️⃣
tel:911 TEL:911 tel:+1911 tel:+1-911 tel://911 tel:911;phone-context=+1 tel:9,911 callto:911 sms:911 smsto:911
sip:911@pbx.example sip:+1911@pbx.example sips:911@pbx.example SIP:911@pbx.example:5061;transport=tls
sip:911 sip:9911@10.0.0.1 sip:%39%31%31@pbx.example sip:%2539%2531%2531@h sip:911;user=phone@pbx.example
sip:%EF%BC%9911@h sip:9.1.1@pbx.example <sip:911@pbx.example> "Desk"<sip:112@pbx.example> sip:user:911@pbx.example
sip:2025550142@pbx.example;postd=911 sip:2025550142;postd=w911@pbx.example sip:a@pbx.example?Refer-To=sip:911@h
555-0142,,911 +12025550142w911 +12025550142W911 +12025550142p9911 +12025550142;postd=911 +12025550142;ext=911
+12025550142;911 +12025550142,9,1,1 +12025550142x911 +12025550142ext911 +12025550142EXT.911 +12025550142#911
+12025550142,,,,9,911# +12025550142*911 +12025550142/911 tel:+12025550142;postd=pp911 +12025550142,sip:911@h
+12025550142，，911 +12025550142ｗ911 *67911 *67,911 *82911 #31#911 *31#112 *911 *1911
9115550142 91155501 8911555 19115550142 +19115550142 +1911555 9,9115550142 99912345 1120
9ll 9II 9l1 OO0 0oo 9x1x1 9ОО0 w911 x112 9ww1w1
""".split()  # noqa: SIM905 - a table of words reads better than a list of strings


@pytest.mark.parametrize("address", FORBIDDEN)
def test_every_form_of_an_emergency_number_is_blocked(address):
    why = blocked(address)
    assert why is not None, f"the emergency block: {address!r} could be dialled"
    assert "emergency number" in why


@pytest.mark.parametrize("number", EMERGENCY_NUMBERS)
def test_the_reason_names_the_number(number):
    assert number in str(blocked(number))
    assert number in str(blocked(f"9,{number}"))


@pytest.mark.parametrize(
    "address",
    [
        "9 1 1",
        "9\u200b1\u200b1",
        "\u202a911\u202c",
        " 911 ",
        "9\t1\n1",
        "+1 911",
        "00 911",
        "+44 (0) 999",
        "tel: 911",
        "911\x00",
        "+12025550142 ext. 911",
        "+1 202 555 0142 extension 9911",
        "(202) 555-0142 x 911",
        "9 011 44 999",
    ],
)
def test_white_space_and_invisible_signs_hide_nothing(address):
    assert blocked(address) is not None


@pytest.mark.parametrize(
    "address",
    [
        "+12029110142",
        "+12025550911",
        "+12025559110",
        "+19125550142",
        "+19885550142",  # not assigned today, but it could be: only N11 can never be
        "+1 (202) 911-0142",
        "(202) 911-0142",
        "202.911.0142",
        "+911123456789",  # Delhi
        "+919988776655",
        "+491129990142",
        "+499111234567",  # Nuremberg
        "+441129990142",
        "+61299911200",
        "+12025550142;ext=204",
        "+12025550142,,417#",
        "sip:4911@pbx.example",
        "sip:+12029110142@pbx.example",
        "sip:desk@911.example.org",
        "sip:desk@10.0.0.112",
        "sip:10.0.0.112",
        "sip:1120@pbx.example",
        "county-dispatch",
        "county-911",
        "dispatch-911",
        "911-center",
        "psap-112",
        "www",
        "9OO",
        "417",
        "411",
        "",
    ],
)
def test_honest_addresses_that_contain_the_digits_pass(address):
    assert blocked(address) is None


def test_an_address_too_long_to_be_one_is_refused_quickly():
    assert blocked("1," * ADDRESS_CHARS_MAX) is not None
    assert blocked("," * (ADDRESS_CHARS_MAX + 1)) is not None
    assert blocked(",".join("5" for _ in range(100))) is not None


def test_the_reason_does_not_quote_the_number_it_was_appended_to():
    assert "2025550142" not in str(blocked("+12025550142,,911"))


# --- rules ----------------------------------------------------------------------------------------------------------

emergency = st.sampled_from(EMERGENCY_NUMBERS)
prefixes = st.sampled_from(["", "9", "9,", "8", "0", "1", "+", "+1", "+44", "+61", "00", "0044", "9,011,44,", "*67"])
wrappers = st.sampled_from(
    [
        "{}",
        "tel:{}",
        "sip:{}@pbx.example",
        "sips:{}@10.0.0.1;user=phone",
        "<sip:{}@h>",
        "+12025550142,,{}",
        "5550142w{}",
    ]
)
decoration = st.text(alphabet=" -.()[]_~\u00a0\u200b\u2010\u2011\u2013\u202f\u2060", max_size=3)
scripts = st.sampled_from(["0", "٠", "۰", "०", "０", "𝟎", "𝟬", "੦"])


def in_script(char: str, zero: str) -> str:
    return chr(ord(zero) + int(char)) if char.isascii() and char.isdigit() else char


@given(st.data())
def test_decorating_a_blocked_number_keeps_it_blocked(data):
    dialled = data.draw(prefixes) + data.draw(emergency)
    zero = data.draw(scripts)
    decorated = "".join(data.draw(decoration) + in_script(char, zero) for char in dialled)

    assert blocked(data.draw(wrappers).format(decorated)) is not None


@given(st.from_regex(r"\+1[2-9]([02-9][0-9]|1[02-9])[2-9][0-9]{6}", fullmatch=True), st.data())
def test_no_north_american_number_is_blocked_by_mistake(number, data):
    decorated = "".join(char + data.draw(decoration) for char in number)

    assert blocked(number) is None
    assert blocked(decorated) is None


@given(st.text(max_size=40) | st.text(alphabet="0123456789+,;wpx*#@:/= ", max_size=40))
def test_any_text_gets_an_answer(address):
    blocked(address)


# --- a second opinion -----------------------------------------------------------------------------------------------

KINDS = [PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE]


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_real_number_of_any_country_passes(region):
    for kind in KINDS:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            number = phonenumbers.format_number(example, PhoneNumberFormat.E164)
            assert blocked(number) is None, number


@pytest.mark.parametrize("region", ["US", "CA", "GB", "AU", "DE", "MX"])
@given(suffix=st.text(alphabet="0123456789", max_size=8))
def test_what_phonenumbers_would_connect_to_an_emergency_centre_is_blocked(region, suffix):
    """Its own list is longer (110, 108 …): only our six are compared."""
    for number in EMERGENCY_NUMBERS:
        if shortnumberinfo.connects_to_emergency_number(number + suffix, region):
            assert blocked(number + suffix) is not None


def test_every_script_that_has_digits_is_read():
    zeros = [chr(c) for c in range(0x110000) if unicodedata.decimal(chr(c), None) == 0]

    assert len(zeros) > 50
    for zero in zeros:
        assert blocked("".join(in_script(char, zero) for char in "911")) is not None, zero
