"""Who asks: a token in the request's header, or a session by its cookie; nobody else gets in."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from daemon.web.attempts import Attempts
from daemon.web.problem import HttpError
from daemon.web.sessions import Sessions
from daemon.web.token_use import TokenUse
from daemon.web.tokens import Scope, Token, Tokens

COOKIE = "galvanod_session"


def cookie_name(connection: HTTPConnection) -> str:
    """Return what the session's cookie is called; over TLS so that no other host can set it (RFC 6265bis)."""
    return f"__Host-{COOKIE}" if connection.app.state.settings.encrypted else COOKIE


@dataclass(frozen=True, slots=True)
class Access:
    """What decides who gets in."""

    tokens: Tokens
    sessions: Sessions
    attempts: Attempts
    use: TokenUse

    def visitor(self, connection: HTTPConnection) -> Token | None:
        """Return who asks; None where nothing was brought. Raises `HttpError` for what is not valid."""
        now = datetime.now(UTC)
        authorization = connection.headers.get("authorization")
        if authorization is not None:
            kind, _, secret = authorization.partition(" ")
            return self.checked(connection, secret.strip() if kind.lower() == "bearer" else "", now)
        cookie = connection.cookies.get(cookie_name(connection))
        found = self.sessions.holder(cookie, now) if cookie is not None else None
        if found is not None:
            self.use.note(found.name, now)
        return found

    def checked(self, connection: HTTPConnection, secret: str, now: datetime) -> Token:
        """Return the token with this secret; a failure is counted, and too many are told to wait."""
        token = self.tokens.holder(secret, now)
        if token is not None:
            self.use.note(token.name, now)
            return token
        address = connection.client.host if connection.client is not None else "?"
        wait = self.attempts.failed(address, time.monotonic())
        if wait > 0.0:
            raise HttpError(
                429,
                "Too many failures",
                f"too many tokens that are not valid; a failure is answered again in {wait:.0f} s",
                {"retry-after": f"{wait:.0f}"},
            )
        raise HttpError(
            401, "Not known here", "this token is not valid; `galvanod token list` shows which are"
        )


def access_of(connection: HTTPConnection) -> Access:
    """Return the access of the application that serves the connection."""
    access: Access = connection.app.state.access
    return access


class May(SecurityBase):
    """The dependency that lets in who may do what `scope` is for; the API's document names it."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.scheme_name = "token"
        self.model = HTTPBearer(description="a token of `galvanod token create`, or a session's cookie")

    async def __call__(self, connection: HTTPConnection) -> Token:
        """Return who asks. Raises `HttpError` for nobody, and for who may not."""
        found = access_of(connection).visitor(connection)
        connection.state.visitor = found.name if found is not None else None
        if found is None:
            raise HttpError(
                401,
                "Who are you?",
                "no token and no session; send `Authorization: Bearer …`, or log in at the page",
                {"www-authenticate": 'Bearer realm="galvanod"'},
            )
        if not found.scope.includes(self.scope):
            raise HttpError(
                403,
                "Not allowed",
                f"token {found.name!r} may {found.scope.value}; wanted one for {self.scope.value}",
            )
        return found


Viewer = Annotated[Token, Security(May(Scope.VIEW), scopes=[Scope.VIEW.value])]
Submitter = Annotated[Token, Security(May(Scope.SUBMIT), scopes=[Scope.SUBMIT.value])]
Controller = Annotated[Token, Security(May(Scope.CONTROL), scopes=[Scope.CONTROL.value])]
Administrator = Annotated[Token, Security(May(Scope.ADMIN), scopes=[Scope.ADMIN.value])]
