"""The file that says who is told of what.

notices:
  - email: anna@lab.example
    from: galvanod@lab.example
    server: smtp://mail.lab.example:587     # smtp:// (STARTTLS where offered), smtps://
    on: [trip, stall]
    channels: [pstat1, pstat2]              # by default all
  - webhook: https://chat.lab.example/hooks/x
    on: [trip, end, stall]

A user and password for the mail server are a credential of the service, `smtp`: one line user:password.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from daemon.notices.happening import Happening, Kind
from protocols import nodes, source
from protocols.errors import Problem, ProtocolError
from protocols.problems import Problems

DEFAULT = (Kind.TRIP, Kind.STALL)
_KINDS = {kind.value: kind for kind in (Kind.TRIP, Kind.END, Kind.STALL)}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody, by e-mail or by webhook: exactly one of the two is not None."""

    email: str | None
    sender: str | None
    server: str | None
    webhook: str | None
    kinds: Sequence[Kind]
    channels: Sequence[str]

    @property
    def name(self) -> str:
        """Who it is, in a log; the path of a webhook is often a secret."""
        return self.email or f"webhook at {urlsplit(self.webhook or '').hostname}"

    def wants(self, happening: Happening) -> bool:
        """Whether this is for them. Who hears of a stall also hears that it is over."""
        kind = Kind.STALL if happening.kind is Kind.BACK else happening.kind
        concerned = not self.channels or happening.channel is None or happening.channel in self.channels
        return kind is Kind.TEST or (kind in self.kinds and concerned)


def recipients(path: Path) -> list[Recipient]:
    """Read the file; `ProtocolError` with line and column of what is wrong in it."""
    root = nodes.as_mapping(source.load(path), "a mapping with `notices`")
    root.only(("notices",), "a key of a file of notices")
    problems = Problems()
    found: list[Recipient] = []
    for entry in nodes.as_list(root.need("notices", "a list"), "a list of who is told").items:
        with problems.gathered():
            found.append(_recipient(nodes.as_mapping(entry, "a mapping with `email` or `webhook`")))
    problems.settle()
    return found


def _recipient(entry: nodes.MappingNode) -> Recipient:
    entry.only(("email", "from", "server", "webhook", "on", "channels"), "a key of a notice")
    email, webhook = _text(entry, "email"), _text(entry, "webhook")
    if (email is None) == (webhook is None):
        seen = "neither `email` nor `webhook`" if email is None else "both `email` and `webhook`"
        raise ProtocolError(Problem(entry.place, seen, "one of them"))
    sender = server = None
    if email is not None:
        sender = nodes.as_scalar(entry.need("from", "galvanod@lab.example"), "an address").text
        written = nodes.as_scalar(entry.need("server", "smtp://mail.lab.example:587"), "a server")
        server = _url(written, ("smtp", "smtps"))
    if webhook is not None:
        webhook = _url(nodes.as_scalar(entry.need("webhook", "https://…"), "a URL"), ("https", "http"))
    kinds = [_KINDS[nodes.one_of(each, tuple(_KINDS), "what to tell")] for each in _scalars(entry, "on")]
    channels = [each.text for each in _scalars(entry, "channels")]
    return Recipient(email, sender, server, webhook, kinds or DEFAULT, channels)


def _text(entry: nodes.MappingNode, key: str) -> str | None:
    found = entry.take(key)
    return None if found is None else nodes.as_scalar(found, "text").text


def _scalars(entry: nodes.MappingNode, key: str) -> list[nodes.Scalar]:
    found = entry.take(key)
    return (
        []
        if found is None
        else [nodes.as_scalar(each, "a name") for each in nodes.as_list(found, "a list").items]
    )


def _url(written: nodes.Scalar, schemes: Sequence[str]) -> str:
    parts = urlsplit(written.text)
    if parts.scheme not in schemes or not parts.hostname or parts.username:
        raise written.refused(f"{schemes[0]}://host, without a user in it")
    return written.text
