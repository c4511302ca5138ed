"""`python -m alexa_oauth`: the command line."""

import sys

from alexa_oauth.cli import main

if __name__ == "__main__":
    sys.exit(main())
