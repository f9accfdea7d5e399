"""The delivery of one notice: an e-mail, or a request to a webhook. Blocking; belongs in a thread."""

import base64
import hashlib
import hmac
import ipaddress
import json
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from daemon.errors import ServiceError, UnavailableError
from daemon.host.credentials import credential
from daemon.notices.happening import Happening
from daemon.notices.line import Notice
from daemon.notices.notice_file import Recipient

PATIENCE = 15.0
"""Seconds a server may take over any answer."""

MOST_TOLD = 100
"""Further happenings that one letter lists."""

SECRET = "whsec_"
"""What a webhook's secret begins with where the rest of it is base64 (Standard Webhooks 1.0)."""


def deliver(recipient: Recipient, notice: Notice, page: str) -> None:
    """Deliver it.

    Raises `UnavailableError` where a server is away, and `ServiceError` where it refuses.
    """
    try:
        if recipient.email is not None:
            _mail(recipient, _letter(recipient, notice, page))
        else:
            _post(recipient.webhook or "", notice, page)
    except urllib.error.HTTPError as error:
        error.close()
        busy = error.code in (408, 425, 429) or error.code >= 500
        raise (UnavailableError if busy else ServiceError)(f"{recipient.name}: {error}") from error
    except ssl.SSLError as error:  # one kind of it is a ValueError too
        raise UnavailableError(f"{recipient.name}: {error}") from error
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, ValueError) as error:
        raise (UnavailableError if _passing(error) else ServiceError)(f"{recipient.name}: {error}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise UnavailableError(f"{recipient.name}: {error}") from error


def _passing(error: Exception) -> bool:
    """Whether a mail server says that it may think otherwise later (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(400 <= code < 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and 400 <= error.smtp_code < 500


def _letter(recipient: Recipient, notice: Notice, page: str) -> EmailMessage:
    happening = notice.happening
    letter = EmailMessage()
    letter["From"], letter["To"] = recipient.sender, recipient.email
    more = f" and {len(notice.also)} more" if notice.also else ""
    letter["Subject"] = _one_line(happening.subject) + more
    letter["Date"] = format_datetime(datetime.now(UTC))
    domain = urlsplit(f"//{(recipient.sender or '').rpartition('@')[2]}").hostname
    letter["Message-ID"] = f"<{_identifier(happening)}@{domain}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content("\n".join(_lines(notice, page)) + "\n")
    return letter


def _lines(notice: Notice, page: str) -> list[str]:
    happening = notice.happening
    facts = [
        ("Channel", happening.channel),
        ("Cell", happening.cell),
        ("Run", happening.run),
        ("When", _moment(happening)),
    ]
    lines = [happening.text, "", *(f"{name}: {value}" for name, value in facts if value)]
    if happening.channel is not None:
        lines.append(f"Page: {page}#/channel/{happening.core}/{happening.channel}")
    if notice.also:
        lines += ["", "Since the last notice also:"]
        lines += [f"{_moment(each)} {_one_line(each.subject)}: {each.text}" for each in _told(notice)]
        lines += [f"and {left} more; look at the page."] if (left := len(notice.also) - MOST_TOLD) > 0 else []
    return lines


def _moment(happening: Happening) -> str:
    return datetime.fromtimestamp(happening.at, UTC).isoformat(timespec="seconds")


def _told(notice: Notice) -> list[Happening]:
    return list(notice.also)[-MOST_TOLD:]


def _mail(recipient: Recipient, letter: EmailMessage) -> None:
    server = urlsplit(recipient.server or "")
    secure = server.scheme == "smtps"
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    with kind(server.hostname or "", server.port or (465 if secure else 25), timeout=PATIENCE) as connection:
        connection.ehlo()
        if not secure and connection.has_extn("starttls"):
            connection.starttls(context=ssl.create_default_context())
            connection.ehlo()
            secure = True
        if (login := credential("smtp")) is not None:
            if not secure and not _here(server.hostname or ""):
                raise ValueError("the server offers no encryption; the password is not sent in the clear")
            user, _, password = login.partition(":")
            connection.login(user, password)
        connection.send_message(letter)


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook that has moved is told of: what is in a notice goes nowhere that nobody named."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _post(url: str, notice: Notice, page: str) -> None:
    happening = notice.happening
    content = {**happening.plain(), "subject": happening.subject, "page": page}
    content["id"] = _identifier(happening)
    content["also"] = [each.plain() for each in _told(notice)]
    content["withheld"] = max(0, len(notice.also) - MOST_TOLD)
    content["text"] = "\n".join(f"{each.subject}: {each.text}" for each in (happening, *_told(notice)))
    body = json.dumps(content).encode()
    headers = {"content-type": "application/json", "user-agent": "galvanod"}
    request = urllib.request.Request(url, body, {**headers, **_signed(_identifier(happening), body)})
    with _opener.open(request, timeout=PATIENCE) as answer:
        answer.read(1024)


def _signed(identifier: str, body: bytes) -> Mapping[str, str]:
    """Return what lets the receiver know that it is we (Standard Webhooks 1.0): with a credential only."""
    headers = {"webhook-id": identifier, "webhook-timestamp": f"{time.time():.0f}"}
    secret = credential("webhook")
    if secret is None:
        return headers
    key = base64.b64decode(secret.removeprefix(SECRET)) if secret.startswith(SECRET) else secret.encode()
    signed = f"{identifier}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return {**headers, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}


def _identifier(happening: Happening) -> str:
    """Name a happening: the same name whenever it is told, so that a repeat is known as one."""
    facts = (happening.kind, happening.at, happening.core, happening.channel, happening.run)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
