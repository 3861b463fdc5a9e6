"""`python -m authserver`: runs the command even if its script is not on the path."""

import sys

from authserver.cli import main

if __name__ == "__main__":
    sys.exit(main())
