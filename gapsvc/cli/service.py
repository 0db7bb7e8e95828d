"""`serve` and `token`: the HTTP service, and tokens for its clients."""

import re
from contextlib import ExitStack

import click

from gapsvc.cli.console import OUT, ended_by_signals
from gapsvc.cli.main import EXIT_SYSTEM, Failure, load_settings
from gapsvc.publishing import pages_base
from gapsvc.security.clients import new_token
from gapsvc.security.scopes import is_scope


@click.command("serve")
@click.option("--host", default=None, help="Address to listen on.  [server.host]")
@click.option("--port", default=None, type=click.IntRange(0, 65535), help="Port; 0 picks a free one.  [server.port]")
def serve_command(host: str | None, port: int | None) -> None:
    """Serve $care-gaps and the rest of the FHIR API, until Ctrl-C."""
    from gapsvc.server import serving

    settings = load_settings()
    if host is not None:
        settings = settings.with_values(server__host=host)
    if port is not None:
        settings = settings.with_values(server__port=port)
    if not settings.clients:
        OUT.print("no [[client]] in the settings: every request will be refused. `python -m gapsvc token` makes one.")
    host, port = settings["server.host"], settings["server.port"]
    with ended_by_signals(), ExitStack() as ends:
        try:
            server = ends.enter_context(serving(settings))
        except OSError as error:
            said = error.strerror or type(error).__name__
            message = f"can't listen on port {port} of {host} ({said}): choose with --host and --port (0: a free one)"
            raise Failure(message, EXIT_SYSTEM) from error
        OUT.print(f"pages for people at {pages_base(server.base_url)}/")
        OUT.print(f"gapsvc at {server.base_url} (Ctrl-C ends it)")
        if host in ("0.0.0.0", "::") and not settings["server.base_url"]:  # noqa: S104 - asked about, not bound
            OUT.print("clients need another address than that: say it with server.base_url", style="yellow")
        server.wait()
        OUT.print("ended")


def _checked_id(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}", value):
        raise click.BadParameter("expected 1 to 64 letters, digits, . _ -", ctx, param)
    return value


def _checked_scopes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not is_scope(value):
            raise click.BadParameter(
                f"{value!r} is no scope; expected e.g. system/*.rs or system/Patient.read", ctx, param
            )
    return values


@click.command("token")
@click.argument("client_id", callback=_checked_id)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=("system/*.rs",),
    callback=_checked_scopes,
    help="A SMART system scope; repeat it.  [system/*.rs]",
)
def token_command(client_id: str, scopes: tuple[str, ...]) -> None:
    """Make a bearer token for a client; print it once, with the lines to add to gapsvc.toml."""
    token, digest = new_token()
    listed = ", ".join(f'"{scope}"' for scope in scopes)
    click.echo(f"token (shown once, give it to the client): {token}\n")
    click.echo(f'[[client]]\nid = "{client_id}"\ntoken_sha256 = "{digest}"\nscopes = [{listed}]')
