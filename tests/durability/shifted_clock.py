"""The server on a machine whose wall clock is wrong: by the seconds in the file that `SHIFT_FILE` names, read at each look."""

import os
import sys
from functools import partial
from pathlib import Path
from unittest.mock import patch

from alexa_oauth.app import build, read_clocks
from alexa_oauth.cli import main
from alexa_oauth.clock import Clock
from alexa_oauth.protocol.clock import Reading


def read_wrongly() -> Reading:
    """Both clocks of the machine, the one on the wall shifted."""
    reading = read_clocks()
    return Reading(reading.wall + float(Path(os.environ["SHIFT_FILE"]).read_text("ascii")), reading.running)


if __name__ == "__main__":
    with patch("alexa_oauth.cli.serving.build", partial(build, clock=Clock(read_wrongly))):
        sys.exit(main())
