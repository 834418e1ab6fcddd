"""`check` refuses a school in which nobody can say that they go."""

import re

from tests.config.conftest import School

SMS = re.compile(r"\[channels\.sms\]\n(?:[^\[\n][^\n]*\n)+")


def without_texts(school: School) -> None:
    """Voice only, and nothing can reach the school."""
    wiring = school.directory / "channels.toml"
    wiring.write_text(SMS.sub("", wiring.read_text()))
    for policy in (school.directory / "policies").glob("*.toml"):
        policy.write_text(policy.read_text().replace('channels = ["sms", "voice"]', 'channels = ["voice"]'))


def found(school: School) -> list[tuple[str, str, bool]]:
    """(file, key, is it an error) of everything that is said about answering."""
    return [(p.file, p.key, p.is_error) for p in school.lint_problems() if "answer: " in p.message]


def test_calls_alone_that_take_no_keys_are_refused_for_nobody_could_answer(school: School) -> None:
    """Promise 5: the call says which digits to text, and nobody reads texts."""
    without_texts(school)

    assert found(school) == [("channels.toml", "callbacks", True)]
    (problem,) = [p for p in school.lint_problems() if p.key == "callbacks"]
    assert (
        (school.directory / "channels.toml").read_text().splitlines()[problem.line - 1].startswith("[channels.voice]")
    )
    assert 'callbacks = "signed"' in problem.remedy
    assert "sms_twilio" in problem.remedy


def test_keys_are_enough(school: School) -> None:
    without_texts(school)
    school.replace("channels.toml", 'callbacks = "poll"', 'callbacks = "signed"')

    assert found(school) == []


def test_texts_beside_calls_are_enough(school: School) -> None:
    assert found(school) == []


def test_one_person_who_is_called_only_is_named(school: School) -> None:
    people = school.directory / "people.csv"
    head, *rows = people.read_text().splitlines()
    at = next(i for i, row in enumerate(rows) if ",responder," in row)
    rows[at] += ",voice"
    rows = [row if i == at else f"{row}," for i, row in enumerate(rows)]
    people.write_text("\n".join([f"{head},channels", *rows]) + "\n")

    assert found(school) == [("people.csv", "channels", False)]
