"""`python -m gapsvc`: the command line."""

from gapsvc.cli import main

main()
