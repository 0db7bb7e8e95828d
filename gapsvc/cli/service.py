"""`serve` and `token`: the HTTP service, and tokens for its clients."""

import click

from gapsvc.cli.console import OUT
from gapsvc.config import load
from gapsvc.security.clients import new_token


@click.command("serve")
@click.option("--host", default=None, help="Address to listen on.  [server.host]")
@click.option("--port", default=None, type=click.IntRange(0, 65535), help="Port; 0 picks a free one.  [server.port]")
def serve_command(host: str | None, port: int | None) -> None:
    """Serve $care-gaps and the rest of the FHIR API, until Ctrl-C."""
    from gapsvc.server import serving

    settings = load()
    if host is not None:
        settings = settings.with_values(server__host=host)
    if port is not None:
        settings = settings.with_values(server__port=port)
    if not settings.clients:
        OUT.print("no [[client]] in the settings: every request will be refused. `python -m gapsvc token` makes one.")
    with serving(settings) as server:
        OUT.print(f"gapsvc at {server.base_url} (Ctrl-C ends it)")
        server.wait()


@click.command("token")
@click.argument("client_id")
@click.option("--scope", "scopes", multiple=True, default=("system/*.rs",), show_default=True, help="SMART scope.")
def token_command(client_id: str, scopes: tuple[str, ...]) -> None:
    """Make a bearer token for a client; print it once, with the lines to add to gapsvc.toml."""
    token, digest = new_token()
    listed = ", ".join(f'"{scope}"' for scope in scopes)
    click.echo(f"token (shown once, give it to the client): {token}\n")
    click.echo(f'[[client]]\nid = "{client_id}"\ntoken_sha256 = "{digest}"\nscopes = [{listed}]')
