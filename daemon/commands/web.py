"""`web`, `token`: the lab's page, and who may use it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from daemon.commands.options import Broker, Database, Json, State, database_of
from daemon.errors import ConfigurationError
from daemon.places import Places
from daemon.web.token_use import last_used, use_of
from daemon.web.tokens import Scope, Tokens

token = typer.Typer(help="Make, list and revoke the tokens that let people and programs use the page.")


def web(
    state: State,
    database: Database = None,
    core: Annotated[
        list[str] | None,
        typer.Option(
            help="A core and its control socket, NAME=SOCKET; may be repeated. By default the one here.",
            envvar="GALVANOD_CORES",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on.", envvar="GALVANOD_WEB_HOST")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 takes a free one.", envvar="GALVANOD_WEB_PORT")
    ] = 8720,
    or_free_port: Annotated[
        bool, typer.Option("--or-free-port", help="Take a free port where that one is taken.")
    ] = False,
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            help="A name people reach it by, besides localhost; may be repeated.", envvar="GALVANOD_WEB_NAMES"
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(help="TLS certificate (PEM); wanted off loopback.", envvar="GALVANOD_WEB_CERTIFICATE"),
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its key (PEM).", envvar="GALVANOD_WEB_KEY")] = None,
    behind_proxy: Annotated[
        bool,
        typer.Option("--behind-proxy", help="A proxy on this machine encrypts.", envvar="GALVANOD_WEB_PROXY"),
    ] = False,
    notices: Annotated[
        Path | None, typer.Option(help="File that says who is told of what.", envvar="GALVANOD_NOTICES")
    ] = None,
    broker: Broker = None,
    mqtt_commands: Annotated[
        bool,
        typer.Option(
            "--mqtt-commands", help="Obey commands by MQTT, with a token.", envvar="GALVANOD_MQTT_COMMANDS"
        ),
    ] = False,
    home_assistant: Annotated[
        bool,
        typer.Option(
            "--home-assistant",
            help="Tell Home Assistant of every channel, over the broker.",
            envvar="GALVANOD_HOME_ASSISTANT",
        ),
    ] = False,
    name: Annotated[str, typer.Option(help="What the core here is called.", envvar="GALVANOD_NAME")] = "lab",
    openapi: Annotated[
        bool, typer.Option("--openapi", help="Print the API's OpenAPI document instead.")
    ] = False,
    json_: Json = False,
) -> None:
    """Serve the lab's page and the HTTP API under it.

    A process of its own: it asks cores over their sockets and reads the database, and can delay
    neither. Who uses it needs a token, see `galvanod token`.
    """
    from daemon.host.lifetime import say, told_to_stop, until_told
    from daemon.host.notify import Notifier
    from daemon.web.server import serve
    from daemon.web.settings import Settings

    places = Places(state.absolute())
    settings = Settings(
        cores=_cores(core, name, places),
        database=database_of(places.state, database),
        tokens=places.tokens,
        cache=places.state,
        host=host,
        port=port,
        or_free_port=or_free_port,
        names=tuple(host_name or ()),
        certificate=certificate,
        key=key,
        behind_proxy=behind_proxy,
        notices=notices,
        broker=broker,
        mqtt_commands=mqtt_commands,
        home_assistant=home_assistant,
    )
    settings.check()
    if openapi:
        from daemon.web.app import application

        print(json.dumps(application(settings).openapi(), indent=1))
        return

    def ready(url: str) -> None:
        Notifier.of_environment().ready()
        say({"web": url}) if json_ else typer.echo(f"the page is at {url}")

    async def run() -> None:
        await serve(settings, ready, told_to_stop())

    until_told(run())


@token.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who it is for; the audit shows it.")],
    state: State,
    scope: Annotated[Scope, typer.Option(help="What it allows; each includes those before it.")] = Scope.VIEW,
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days until it expires; by default it does not.")
    ] = None,
    json_: Json = False,
) -> None:
    """Make a token and print it. It is not kept, only its digest: whoever loses it needs another."""
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    secret = Tokens.of(Places(state.absolute()).tokens).create(name, scope, expires)
    if json_:
        print(json.dumps({"name": name, "scope": scope.value, "token": secret}))
        return
    typer.echo(f"{name} may {scope.value} with this token; it is shown only now:", err=True)
    typer.echo(secret)


@token.command("rotate")
def rotate(
    name: Annotated[str, typer.Argument(help="Whose token is to have another secret.")],
    state: State,
    json_: Json = False,
) -> None:
    """Give a token another secret and print it; who has the one of before is out at once."""
    secret = Tokens.of(Places(state.absolute()).tokens).rotated(name)
    if json_:
        print(json.dumps({"name": name, "token": secret}))
        return
    typer.echo(f"the new token of {name}; it is shown only now:", err=True)
    typer.echo(secret)


@token.command("list")
def list_(state: State, json_: Json = False) -> None:
    """List the tokens, without their secrets."""
    places = Places(state.absolute())
    found, used = Tokens.of(places.tokens).all(), last_used(places.token_use)
    if json_:
        rows = [
            {
                "name": each.name,
                "scope": each.scope.value,
                "created": each.created,
                "expires": each.expires,
                "last_used": use_of(each, used),
            }
            for each in found
        ]
        print(json.dumps(rows))
        return
    for each in found:
        until = f", until {each.expires}" if each.expires else ""
        last = use_of(each, used) or "never"
        typer.echo(f"{each.name}: may {each.scope.value}, since {each.created}{until}, last used: {last}")
    if not found:
        typer.echo("there is no token; `galvanod token create NAME --scope control` makes one", err=True)


@token.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="Whose token is to end.")], state: State, json_: Json = False
) -> None:
    """Take a token away; whoever is logged in with it is logged out."""
    Tokens.of(Places(state.absolute()).tokens).revoke(name)
    print(json.dumps({"revoked": name})) if json_ else typer.echo(f"{name} is revoked")


def _cores(written: list[str] | None, name: str, places: Places) -> dict[str, Path]:
    if not written:
        return {name: places.socket}
    found: dict[str, Path] = {}
    for pair in written:
        core, sign, path = pair.partition("=")
        if not (core and sign and path):
            raise ConfigurationError(
                f"--core {pair!r}: wanted NAME=SOCKET, e.g. lab=/var/lib/galvanod/core.sock"
            )
        found[core] = Path(path)
    return found
