"""What must not be in the repository: registry hosts, machine paths, numbers that ring at somebody's home, secrets.

Searched strings are put together from parts, so that this file does not find itself.
"""

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# Where packages come from is the installer's setting, never the project's; paths of one machine mean nothing elsewhere.
FORBIDDEN = (
    "pypi" + ".org",
    "python" + "hosted",
    "registry." + "npmjs",
    "deb." + "debian",
    "/wo" + "rk/",
    "/ro" + "ot/.",
    "far" + "m-",
)

# E.164, also as it looks in a form body, but not the beginning of one (`+120255501{number:02}`, `+120255501\d\d`);
# then the ways in which people write a North American number.
E164 = re.compile(r"(?<![\w.+])(?:\+|%2B)([1-9]\d{7,14})(?![\d{\[\\])")
WRITTEN = re.compile(r"(?<![\w.-])\(?([2-9]\d{2})\)?[ .-]([2-9]\d{2})[ .-](\d{4})(?![\w-])")

# Numbers that cannot ring: ranges that regulators keep for drama and examples, and exchanges that cannot exist.
NOBODYS = re.compile(
    r"""
      1\d{3}55501\d{2}      # North America
    | 1\d{3}[2-9]11\d{4}    # North America: 411, 911 ... are services, never exchanges
    | 447700900\d{3}        # United Kingdom, mobile
    | 442079460\d{3}        # United Kingdom, London
    | 614915701\d{2}        # Australia, mobile
    | 339900\d{5} | 331990[01]\d{4}  # France
    """,
    re.VERBOSE,
)

EXCEPTIONS = {
    "15005550000": "Twilio's magic number: test credentials only",
    "15005550001": "the same: invalid",
    "15005550002": "the same: not routable",
    "15005550003": "the same: no international permission",
    "15005550004": "the same: opted out",
    "15005550006": "the same: a valid sender",
    "15005550007": "the same: not owned",
    "15005550008": "the same: queue full",
    "15005550009": "the same: cannot receive SMS",
    "14158675309": "in the signature vector that Twilio publishes (14158675310 in its variants)",
    "14158675310": "the same",
    "18005551212": "the same",
}

# Files whose numbers are questions put to a pure function: nothing there has a way to dial.
NEVER_DIALED = {
    "tests/model/test_blocked_numbers.py": "tells emergency numbers from long ones that contain their digits",
}

SECRETS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}"),
    "Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "webhook secret": re.compile(r"\bwhsec_([A-Za-z0-9+/]{24,}=*)"),
    "Twilio SID or key": re.compile(r"\b(?:AC|SK)([0-9a-f]{32})\b"),
    "password in a URL": re.compile(r"\b[a-z]+://[^\s/:@\"'{}<>$]+:([^\s/@\"'{}<>$]{4,})@"),
}

FAKE_WORDS = ("0123456789", "test", "example", "fake", "secret", "password", "changeme")

PUBLISHED_SECRETS = {
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "the example in the Standard Webhooks specification",
}


def obviously_fake(secret: str) -> bool:
    """Few different characters, a run of digits, or words that say so: as it stands, or in base64."""
    return any(
        len(set(text)) <= 6 or any(word in text.lower() for word in FAKE_WORDS) for text in (secret, _unbase64(secret))
    )


def _unbase64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return text


@cache
def files() -> tuple[Path, ...]:
    """Tracked, or about to be: all that git does not ignore."""
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout: there is no list of the project's own files")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (REPOSITORY / name for name in listed.split("\0") if name)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """Name and content of each text file."""
    found = []
    for path in files():
        data = path.read_bytes()
        if b"\0" not in data:
            found.append((str(path.relative_to(REPOSITORY)), data.decode(errors="replace")))
    return tuple(found)


def lines() -> Iterator[tuple[str, str]]:
    """`name:number` and each line; lock files hold only names and hashes, and are long."""
    for name, text in texts():
        if not name.endswith(".lock"):
            for number, line in enumerate(text.splitlines(), 1):
                yield f"{name}:{number}", line


def test_there_are_files_to_look_at() -> None:
    assert "pyproject.toml" in {name for name, _ in texts()}


@pytest.mark.parametrize("forbidden", FORBIDDEN)
def test_no_file_names_a_registry_or_a_machine(forbidden: str) -> None:
    assert [name for name, text in texts() if forbidden in text] == []


def real_numbers(line: str) -> list[str]:
    numbers = E164.findall(line) + ["1" + "".join(parts) for parts in WRITTEN.findall(line)]
    return [number for number in numbers if not NOBODYS.fullmatch(number) and number not in EXCEPTIONS]


@pytest.mark.slow
def test_every_phone_number_is_one_that_nobody_has() -> None:
    """+1 NPA 555-01xx, or another country's range for examples; exceptions have a reason in EXCEPTIONS."""
    found = [(where, numbers) for where, line in lines() if (numbers := real_numbers(line))]
    assert [(where, numbers) for where, numbers in found if where.partition(":")[0] not in NEVER_DIALED] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("To=%2B1" + "2065550142", []),
        ("+1" + "2065550142", []),
        ("206-" + "555-0142", []),
        ("+1" + "2065551142", ["12065551142"]),
        ("To=%2B1" + "2065551142&x", ["12065551142"]),
        ("call (206) " + "555-1142 now", ["12065551142"]),
        ("+1" + "2069110142", []),
        ('f"+1' + '206555{number:04}"', []),
        ("+44" + "7700900123", []),
        ("+44" + "7911123456", ["447911123456"]),
        ("at 2026-11-21 and in " + "12345678901", []),
    ],
)
def test_real_numbers_are_told_from_fictitious_ones(line: str, expected: list[str]) -> None:
    assert real_numbers(line) == expected


def secrets_in(line: str) -> list[str]:
    found = []
    for kind, pattern in SECRETS.items():
        for match in pattern.finditer(line):
            secret = match.group(1) if pattern.groups else match.group()
            if not obviously_fake(secret) and secret not in PUBLISHED_SECRETS:
                found.append(kind)
    return found


@pytest.mark.slow
def test_no_file_holds_a_secret() -> None:
    assert [(where, kinds) for where, line in lines() if (kinds := secrets_in(line))] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sid: AC" + "0" * 32, []),
        ("sid: AC" + "0123456789abcdef" * 2, []),
        ("sid: AC" + "9f3ab17c5de280649f1bb17c5de28c64", ["Twilio SID or key"]),
        ("whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", []),
        ("whsec_" + "q83vEjRWeJq83mXPwN2/4pVx0mAJkTRZ7sVh", ["webhook secret"]),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", ["private key"]),
        ("postgresql://alertd:" + "hunter22@db/alertd", ["password in a URL"]),
        ("postgresql://alertd:${PASSWORD}@db/alertd", []),
    ],
)
def test_secrets_are_told_from_fakes(line: str, expected: list[str]) -> None:
    assert secrets_in(line) == expected
