"""The OAuth 2.0 authorization server that links an Alexa skill to a household's Music Assistant."""

from importlib import import_module
from typing import Any

__version__ = "1.0.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the package offers by that name
    """`register_oauth_routes` of `alexa_oauth.embedding`, loaded once somebody asks for it: no command needs it."""
    if name == "register_oauth_routes":
        return import_module(f"{__name__}.embedding").register_oauth_routes
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
