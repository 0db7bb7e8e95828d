"""python -m gapsvc.schedule.immunizations: see commands.py."""

import sys

from .commands import main

sys.exit(main(sys.argv[1:]))
