"""The access list: one block a user, nothing for everybody. And what a site wrote itself, which is kept (`acl.own`).

Must never name a person: a label says who wears a badge. Must never take a line of the site's own that the broker would
stop at, or read as a right of somebody else: a broker that does not start takes no press.
"""

from collections.abc import Iterable, Iterator

from alertd.config import Problem
from alertd.exports.broker.clients import Client, why_no_user

OWN = "acl.own"
"""Lines of the site's own, beside the access list: for a dashboard, for a bridge that alertd knows nothing of."""
HEAD = f"""# Who may say and hear what. Written by `alertd broker config` from the registry: do not edit.
# Lines of your own go into {OWN} beside the file that was written; they stand at its end.
"""
USER = "user "
EXAMPLE = "topic read alertd/telemetry/#"
ACCESS = ("read", "write", "readwrite", "deny")


def access_text(clients: Iterable[Client], own: str) -> str:
    blocks = ["\n".join(_block(client)) for client in clients]
    if own.strip():
        blocks.append(f"# From {OWN}.\n{own.strip()}")
    return "\n".join((HEAD, *(f"{block}\n" for block in blocks)))


def _block(client: Client) -> Iterator[str]:
    yield f"{USER}{client.name}"
    says, hears = set(client.says), set(client.hears)
    for topic in sorted(says | hears):
        access = "readwrite" if topic in says and topic in hears else "write" if topic in says else "read"
        yield f"topic {access} {topic}"


def users_of(own: str) -> tuple[str, ...]:
    """Users that a site's own lines speak of: they have passwords, too."""
    return tuple(dict.fromkeys(rest for _, word, rest in _lines(own) if word == USER.strip()))


def check_own(own: str, file: str) -> list[Problem]:
    """What the broker would not understand, or understand otherwise (mosquitto.conf(5), `acl_file`)."""
    found: list[Problem] = []
    belongs_to_a_user = False
    for number, word, rest in _lines(own):
        message, remedy = _wrong(word, rest, is_a_users=belongs_to_a_user)
        belongs_to_a_user |= word == USER.strip()
        if message:
            found.append(Problem(file=file, line=number, key=word, message=message, remedy=remedy))
    return found


def _lines(own: str) -> Iterator[tuple[int, str, str]]:
    """Number, first word, and the rest of each line that is no remark."""
    for number, line in enumerate(own.splitlines(), start=1):
        word, _, rest = line.strip().partition(" ")
        if word and not word.startswith("#"):
            yield number, word, rest.strip()


def _wrong(word: str, rest: str, *, is_a_users: bool) -> tuple[str, str]:
    """What is wrong, and what to do; empty: nothing."""
    if word == USER.strip():
        return ("can be nobody's name", "write a line like: user dashboard") if why_no_user(rest) else ("", "")
    if word not in ("topic", "pattern"):
        return "is no line of an access list: the broker would not start", f"write: {EXAMPLE}"
    access, _, topic = rest.partition(" ")
    if not topic.strip():  # with one word alone, both
        access, topic = "readwrite", rest
    if access not in ACCESS or not _is_filter(topic.strip()):
        return "is not understood: the broker would not start", f"write: {EXAMPLE}"
    if word == "pattern" and "write" in access:
        return "would let everybody write there, sensors, too", f'write "user NAME", and below it: {EXAMPLE}'
    if word == "topic" and not is_a_users:
        return "stands before any user: it would be a right of another one", 'write a line "user NAME" above it'
    return "", ""


def _is_filter(topic: str) -> bool:
    """Is it one by MQTT's rules (5.0, 4.7.1)? With another the broker does not start."""
    levels = topic.split("/")
    return (
        bool(topic)
        and all(each in ("+", "#") or not set(each) & {"+", "#"} for each in levels)
        and "#" not in levels[:-1]
    )
