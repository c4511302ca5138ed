"""One check under atheris: `PYTHONPATH=src:. .venv-test/bin/python -m tests.fuzz.drive CHECK [libFuzzer's arguments]`.

With `FOLDER tests/fuzz/corpus/CHECK` as its last arguments it begins with the corpus, and leaves in the folder whatever reached
something that the corpus does not. What is worth keeping is copied from there.
"""

import sys

import atheris

PACKAGES = ["alexa_oauth.web.forms", "alexa_oauth.web.language", "alexa_oauth.protocol", "tests.fuzz.parsers"]


def main() -> None:
    """Fuzz until libFuzzer's limits end it; the process ends with another status than 0 if a check fails."""
    _, name, *arguments = sys.argv
    atheris.enabled_hooks.add("str")
    with atheris.instrument_imports(include=PACKAGES):
        from tests.fuzz.parsers import CHECKS  # noqa: PLC0415 - what is imported in here is watched
    atheris.Setup([sys.argv[0], *arguments], CHECKS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
