"""The package as a command: ``report FILE --outcome score --group classroom``, and ``which``."""

import sys

from .report.command import main

if __name__ == "__main__":
    sys.exit(main())
