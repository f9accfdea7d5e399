"""The delivery of one notice: an e-mail, or a request to a webhook. Blocking; belongs in a thread."""

import json
import smtplib
import ssl
import urllib.error
import urllib.request
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import urlsplit

from daemon.errors import UnavailableError
from daemon.host.credentials import credential
from daemon.notices.happening import Happening
from daemon.notices.notice_file import Recipient

PATIENCE = 15.0
"""Seconds a server may take over any answer."""


def deliver(recipient: Recipient, happening: Happening, withheld: int, page: str) -> None:
    """Deliver it; `withheld` others were not sent, of which it tells. Raises `UnavailableError`."""
    try:
        if recipient.email is not None:
            _mail(recipient, _letter(recipient, happening, withheld, page))
        else:
            _post(recipient.webhook or "", happening, withheld, page)
    except (OSError, smtplib.SMTPException, urllib.error.URLError, ValueError) as error:
        raise UnavailableError(f"{recipient.name}: {error}") from error


def _letter(recipient: Recipient, happening: Happening, withheld: int, page: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"] = recipient.sender, recipient.email
    letter["Subject"] = _one_line(happening.subject)
    letter["Date"] = format_datetime(datetime.now(UTC))
    letter["Message-ID"] = make_msgid(
        domain=urlsplit(f"//{(recipient.sender or '').rpartition('@')[2]}").hostname
    )
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n".join(_lines(happening, withheld, page)) + "\n")
    return letter


def _lines(happening: Happening, withheld: int, page: str) -> list[str]:
    moment = datetime.fromtimestamp(happening.at, UTC).isoformat(timespec="seconds")
    facts = [
        ("Channel", happening.channel),
        ("Cell", happening.cell),
        ("Run", happening.run),
        ("When", moment),
    ]
    lines = [happening.text, "", *(f"{name}: {value}" for name, value in facts if value)]
    if happening.channel is not None:
        lines.append(f"Page: {page}#/channel/{happening.core}/{happening.channel}")
    if withheld:
        lines += ["", f"{withheld} more notices were not sent, there were too many; look at the page."]
    return lines


def _mail(recipient: Recipient, letter: EmailMessage) -> None:
    server = urlsplit(recipient.server or "")
    secure = server.scheme == "smtps"
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    with kind(server.hostname or "", server.port or (465 if secure else 25), timeout=PATIENCE) as connection:
        connection.ehlo()
        if not secure and connection.has_extn("starttls"):
            connection.starttls(context=ssl.create_default_context())
            connection.ehlo()
        if (login := credential("smtp")) is not None:
            user, _, password = login.partition(":")
            connection.login(user, password)
        connection.send_message(letter)


def _post(url: str, happening: Happening, withheld: int, page: str) -> None:
    body = {**happening.plain(), "subject": happening.subject, "withheld": withheld, "page": page}
    body["text"] = f"{happening.subject}: {happening.text}"  # what chat servers show
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json", "user-agent": "galvanod"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        answer.read(1024)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
