"""The package as a command: ``python -m helpers report FILE --outcome score --group classroom``."""

import sys

from .report.command import main

if __name__ == "__main__":
    sys.exit(main())
