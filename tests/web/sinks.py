"""Servers on loopback that take what notices are sent: one for mail, one for webhooks."""

import base64
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from tests.web.certificates import Certificate


class _Mail(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs that sends one letter; with STARTTLS and AUTH PLAIN."""

    server: "MailServer"

    def handle(self) -> None:
        self._encrypted = False
        self._say("220 sink")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"EHLO":
                self._greet()
            elif word == b"STAR" and self.server.encryption is not None:
                self._say("220 go on")
                if not self._encrypt(self.server.encryption):
                    return
            elif word == b"AUTH":
                self.server.logins.append((self._encrypted, base64.b64decode(line.split()[2]).decode()))
                self._say("235 welcome")
            elif word == b"RCPT" and b"nobody" in line:
                self._say("550 there is no such person")
            elif word in (b"HELO", b"MAIL", b"RCPT", b"RSET"):
                self._say("250 sink")
            elif word == b"DATA":
                self._say("354 go on")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.taken.append(message_from_bytes(letter, policy=policy.default))
                self._say("250 taken")
            elif word == b"QUIT":
                self._say("221 bye")
                return

    def finish(self) -> None:
        super().finish()
        for each in (self.rfile, self.wfile, self.connection):
            each.close()

    def _greet(self) -> None:
        self._say("250-sink")
        if self.server.encryption is not None and not self._encrypted:
            self._say("250-STARTTLS")
        self._say("250 AUTH PLAIN")

    def _encrypt(self, encryption: ssl.SSLContext) -> bool:
        try:
            self.connection = encryption.wrap_socket(self.connection, server_side=True)
        except ssl.SSLError:
            return False
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self._encrypted = True
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


class MailServer(socketserver.ThreadingTCPServer):
    """Takes letters, and keeps who logged in and whether that was encrypted."""

    def __init__(self, encryption: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.encryption = encryption
        self.taken: list[EmailMessage] = []
        self.logins: list[tuple[bool, str]] = []

    @property
    def port(self) -> int:
        port: int = self.server_address[1]
        return port


@contextmanager
def mail_server(certificate: Certificate | None = None) -> Iterator[MailServer]:
    """Take letters while inside."""
    encryption = None
    if certificate is not None:
        encryption = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        encryption.load_cert_chain(*certificate)
    with MailServer(encryption) as server, _serving(server):
        yield server


class Post(NamedTuple):
    """What came to a webhook."""

    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return it read."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@contextmanager
def web_server(status: int = 204, **headers: str) -> Iterator[tuple[int, list[Post]]]:
    """Take requests while inside, each answered with `status`; yields the port and what came."""
    taken: list[Post] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append(Post({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server, _serving(server):
        yield server.server_address[1], taken


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
