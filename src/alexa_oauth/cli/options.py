"""The options that Home Assistant's Supervisor writes down for an add-on: settings, in a JSON file instead of variables."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from alexa_oauth.settings.loading import SettingsRefused
from alexa_oauth.settings.table import PREFIX

OPTIONS_FILE: Final = f"{PREFIX}OPTIONS_FILE"
"""The environment variable that names the file; without it there are no options."""

_ALLOWED: Final = 'allowed: an object of settings, such as {"public_url": "https://music.example.org"}'


def read_options(environ: Mapping[str, str]) -> Mapping[str, object]:
    """The options by name, their values not judged yet. `SettingsRefused` if the file that the environment names has none."""
    name = environ.get(OPTIONS_FILE)
    if not name:
        return {}
    try:
        options = json.loads(Path(name).read_text("utf-8"))
    except OSError as error:
        raise _refused(f"{name} cannot be read ({error.strerror}); allowed: a readable file") from error
    except json.JSONDecodeError as error:
        raise _refused(f"{name} is not JSON (line {error.lineno}); {_ALLOWED}") from error
    except ValueError as error:
        raise _refused(f"{name} is not UTF-8 text; {_ALLOWED}") from error
    if not isinstance(options, dict):
        raise _refused(f"{name} holds no object; {_ALLOWED}")
    return options


def _refused(fault: str) -> SettingsRefused:
    return SettingsRefused((f"{OPTIONS_FILE}: {fault}",))
