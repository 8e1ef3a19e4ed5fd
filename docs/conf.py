"""Sphinx: pages in Markdown, the reference from the docstrings."""

import os
import sys
from pathlib import Path

import remission

os.environ.setdefault("MPLBACKEND", "Agg")

project = "remission"
author = "The remission developers"
copyright = "2026, The remission developers"
version = release = remission.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # the README's links lead to folders, which are no pages; a test follows them

autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_context = {"front_door": remission.__all__}  # these have pages of their own, so module pages leave them out
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "alabaster"
html_static_path = ["_static"]
html_theme_options = {
    "description": "Compartment models of tumour relapse",
    "fixed_sidebar": True,
    "page_width": "72rem",
}


def setup(app):
    """Pages of the catalogue and pictures of all pages are written before Sphinx looks for them."""
    from remission.gallery import write_site

    sys.path.insert(0, str(app.srcdir))
    from run_pages import draw_pages

    app.connect("builder-inited", lambda _: write_site(Path(app.srcdir) / "gallery"))
    app.connect("builder-inited", lambda _: draw_pages(Path(app.srcdir)))
    app.add_css_file("gallery.css")
