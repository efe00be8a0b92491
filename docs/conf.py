"""How the pages of this folder become a site: `make docs`."""

from sphinx.application import Sphinx

from statefun.version import __version__

project = "statefun"
release = __version__
extensions = ["myst_parser"]
root_doc = "index"
html_theme = "furo"
html_title = f"statefun {release}"
myst_heading_anchors = 3
# Pages name files of the repository too, which are no part of the site; tests check that those exist.
suppress_warnings = ["myst.xref_missing"]

_CONTENTS = {
    "index": {
        "Learn": ["tutorial/quickstart", "tutorial/shopping-cart"],
        "Do": ["howto/*"],
        "Understand": ["concepts/*", "glossary"],
        "Look up": ["reference/*"],
        "Project": ["adr/index", "roadmap"],
    },
    "adr/index": {"Decisions": ["0*"]},
}
"""By page, the captions and pages of the site's menu; the pages themselves stay plain Markdown."""


def _add_contents(_app: Sphinx, page: str, source: list[str]) -> None:
    for caption, pages in _CONTENTS.get(page, {}).items():
        names = "\n".join(pages)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {caption}\n\n{names}\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _add_contents)
