"""`python -m gapsvc`: the command line."""

import sys

try:
    from gapsvc.cli import main

    main()
except KeyboardInterrupt:  # while still loading; afterwards the commands see to it themselves
    sys.exit(130)
