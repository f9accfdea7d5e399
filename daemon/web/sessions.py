"""Sessions: a browser logs in with a token once and then carries a cookie no script can read."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from daemon.web.tokens import Token, Tokens

IDLE = timedelta(hours=12)
"""A session that long unused is over."""

LONGEST = timedelta(days=7)
"""However much it is used, a session is over then."""

MOST = 1_000
"""Sessions at once; beyond it the longest unused ends."""


@dataclass(slots=True)
class _Session:
    token: Token
    begun: datetime
    used: datetime


class Sessions:
    """Sessions in memory: a restart of the page asks everybody to log in again."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._sessions: dict[str, _Session] = {}

    def begin(self, token: Token, now: datetime) -> str:
        """Return the cookie of a new session."""
        while len(self._sessions) >= MOST:
            del self._sessions[min(self._sessions, key=lambda name: self._sessions[name].used)]
        cookie = secrets.token_urlsafe(32)
        self._sessions[cookie] = _Session(token, now, now)
        return cookie

    def holder(self, cookie: str, now: datetime) -> Token | None:
        """Return who has this cookie; None once the session or its token is over."""
        session = self._sessions.get(cookie)
        if session is None:
            return None
        old = now - session.used > IDLE or now - session.begun >= LONGEST
        if old or not self._tokens.still_valid(session.token, now):
            del self._sessions[cookie]
            return None
        session.used = now
        return session.token

    def end(self, cookie: str) -> None:
        """Log out."""
        self._sessions.pop(cookie, None)
