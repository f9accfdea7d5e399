"""Logging in and out, and the tokens themselves."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from daemon.web.documents import MadeToken, TokenFacts, Visitor
from daemon.web.sent import LogIn, NewToken
from daemon.web.sessions import LONGEST
from daemon.web.visitor import Administrator, access_of, cookie_name

router = APIRouter(tags=["access"])


@router.get("/session", response_model=Visitor)
async def who(request: Request) -> Visitor:
    """Say who is logged in; for a page that does not know yet, so nobody is no error."""
    visitor = access_of(request).visitor(request)
    return (
        Visitor(name=None, scope=None) if visitor is None else Visitor(name=visitor.name, scope=visitor.scope)
    )


@router.post("/session", response_model=Visitor)
async def log_in(wanted: LogIn, request: Request, response: Response) -> Visitor:
    """Begin a session with a token; the cookie is sent by our own page only, and seen by no script."""
    access, now = access_of(request), datetime.now(UTC)
    token = access.checked(request, wanted.token.strip(), now)
    request.state.visitor = token.name
    access.sessions.end(request.cookies.get(cookie_name(request), ""))
    response.set_cookie(
        cookie_name(request),
        access.sessions.begin(token, now),
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.app.state.settings.encrypted,
        path="/",
    )
    return Visitor(name=token.name, scope=token.scope)


@router.delete("/session", status_code=204)
async def log_out(request: Request, response: Response) -> None:
    """End the session."""
    sessions, cookie = access_of(request).sessions, request.cookies.get(cookie_name(request), "")
    holder = sessions.holder(cookie, datetime.now(UTC))
    request.state.visitor = holder.name if holder is not None else None
    sessions.end(cookie)
    response.delete_cookie(
        cookie_name(request), path="/", secure=request.app.state.settings.encrypted, samesite="strict"
    )


@router.get("/tokens", response_model=list[TokenFacts])
async def tokens(request: Request, visitor: Administrator) -> list[TokenFacts]:
    """List the tokens, without their secrets: those are kept nowhere."""
    return [
        TokenFacts(
            name=token.name,
            scope=token.scope,
            created=token.created,
            expires=token.expires,
            last_used=access_of(request).use.last(token),
        )
        for token in access_of(request).tokens.all()
    ]


@router.post("/tokens", response_model=MadeToken, status_code=201)
async def make_token(wanted: NewToken, request: Request, visitor: Administrator) -> MadeToken:
    """Make a token; its secret is in this answer and nowhere else."""
    expires = None if wanted.days is None else datetime.now(UTC) + timedelta(days=wanted.days)
    secret = access_of(request).tokens.create(wanted.name, wanted.scope, expires)
    return MadeToken(name=wanted.name, scope=wanted.scope, token=secret)


@router.delete("/tokens/{name}", status_code=204)
async def revoke_token(name: str, request: Request, visitor: Administrator) -> None:
    """Take a token away; sessions that began with it end with their next request."""
    access_of(request).tokens.revoke(name)
    access_of(request).use.forget(name)
