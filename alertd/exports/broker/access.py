"""The access list: one block a user, nothing for everybody. And what a site wrote itself, which is kept (`acl.own`).

Must never name a person: a label says who wears a badge.
"""

from collections.abc import Iterable, Iterator

from alertd.exports.broker.clients import Client

OWN = "acl.own"
"""Lines of the site's own, beside the access list: for a dashboard, for a bridge that alertd knows nothing of."""
HEAD = f"""# Who may say and hear what. Written by `alertd broker config` from the registry: do not edit.
# Lines of your own go into {OWN} beside the file that was written; they stand at its end.
"""
USER = "user "


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
    lines = (line.strip() for line in own.splitlines())
    return tuple(dict.fromkeys(line.removeprefix(USER).strip() for line in lines if line.startswith(USER)))
