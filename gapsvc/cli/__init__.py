"""The command line: `python -m gapsvc --help`. Every command says what it did and what to do next."""

from gapsvc.cli.data import evaluate_command, pull_command
from gapsvc.cli.demo import demo_command
from gapsvc.cli.equity import equity_command
from gapsvc.cli.gaps import gaps_command
from gapsvc.cli.immunizations import forecast_command, schedule_group
from gapsvc.cli.main import main
from gapsvc.cli.measures import measures_group
from gapsvc.cli.sandbox import sandbox_group
from gapsvc.cli.service import serve_command, token_command
from gapsvc.cli.supplemental import import_command

for command in (
    demo_command,
    equity_command,
    evaluate_command,
    forecast_command,
    gaps_command,
    import_command,
    measures_group,
    pull_command,
    sandbox_group,
    schedule_group,
    serve_command,
    token_command,
):
    main.add_command(command)

__all__ = ["main"]
