"""HTML from templates: every value is escaped, only the package's own style and scripts go in as they are."""

import gzip
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_FOLDER = "templates"


def render(template: str, **values: object) -> str:
    """The page that `template` (a file of `grading/report/templates/`) makes of `values`.

    Values are escaped for HTML, whatever they hold; one that the template needs and nobody gives is an error.
    """
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grading.report", _FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = _asset
    return environment


@cache
def _asset(name: str) -> Markup:
    """A style sheet or script of this package, compressed (`.gz`) or not, to stand in a page as it is."""
    content = resources.files("grading.report").joinpath(_FOLDER, name).read_bytes()
    text = gzip.decompress(content) if name.endswith(".gz") else content
    return Markup(text.decode("utf-8"))  # noqa: S704 - our own file, no value of a user's
