"""``python -m sslstudio``: the same as the command ``sslstudio``."""

import sys

from sslstudio.cli import main

if __name__ == "__main__":
    sys.exit(main())
