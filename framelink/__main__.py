"""`python -m framelink` is the command `framelink`."""

import sys

from framelink.cli import main

if __name__ == "__main__":
    sys.exit(main())
