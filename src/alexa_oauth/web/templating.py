"""HTML templates, each compiled when it is first shown.

The library comes with the first page: 2 MiB and some 10 ms that a server whom nobody visits need not have.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


class Templates:
    """The templates of some packages, each in the folder `templates` of its own. Values are escaped, unknown ones refused."""

    def __init__(
        self, packages: Sequence[str], shared: Mapping[str, object], filters: Mapping[str, Callable[..., object]]
    ) -> None:
        """`shared` is known to every template."""
        self._packages = packages
        self._shared = shared
        self._filters = filters

    def render(self, name: str, **shown: object) -> str:
        """The page of that name, such as `consent`."""
        return self._environment.get_template(f"{name}.html.jinja").render(shown)

    @cached_property
    def _environment(self) -> "Environment":
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - see above

        environment = Environment(
            loader=ChoiceLoader([PackageLoader(package) for package in self._packages]),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(self._shared)
        environment.filters.update(self._filters)
        return environment
