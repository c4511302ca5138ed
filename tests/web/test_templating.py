"""Templates are compiled when they are first shown, so that each is compiled here."""

import subprocess
import sys
from importlib import resources

import pytest

from alexa_oauth.admin.pages import PanelPages
from alexa_oauth.web.pages import Pages
from tests.running_server import SOURCE


def templates_of(package: str) -> list[str]:
    return sorted(file.name for file in (resources.files(package) / "templates").iterdir() if file.name.endswith(".jinja"))


@pytest.mark.parametrize("name", templates_of("alexa_oauth.web"))
def test_every_public_template_compiles(name: str) -> None:
    assert Pages()._templates._environment.get_template(name).name == name


@pytest.mark.parametrize("name", templates_of("alexa_oauth.admin"))
def test_every_template_of_the_panel_compiles(name: str) -> None:
    assert PanelPages()._templates._environment.get_template(name).name == name


def test_a_start_does_not_load_what_only_pages_need() -> None:
    asked = "import sys, alexa_oauth.cli.serving; print({'jinja2', 'segno'} & set(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", asked], env={"PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "set()\n"
