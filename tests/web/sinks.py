"""Servers on loopback that take what notices are sent: one for mail, one for webhooks."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Mail(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs that sends one letter."""

    def handle(self) -> None:
        self._say("220 sink")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET"):
                self._say("250 sink")
            elif word == b"DATA":
                self._say("354 go on")
                letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.taken.append(message_from_bytes(letter, policy=policy.default))  # type: ignore[attr-defined]
                self._say("250 taken")
            elif word == b"QUIT":
                self._say("221 bye")
                return

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def mail_server() -> Iterator[tuple[int, list[EmailMessage]]]:
    """Take letters while inside; yields the port and the letters."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        taken: list[EmailMessage] = []
        server.taken = taken  # type: ignore[attr-defined]
        with _serving(server):
            yield server.server_address[1], taken


@contextmanager
def web_server() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Take JSON while inside; yields the port and what came."""
    taken: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
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
