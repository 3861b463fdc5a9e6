"""`python -m authserver`: the command, wherever its script is."""

import sys

from authserver.cli import main

if __name__ == "__main__":
    sys.exit(main())
