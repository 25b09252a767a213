"""How the documentation is built: ``sphinx-build -W docs docs/_build``.

The build is offline, unless SKRNN_DOCS_ONLINE=1 asks for links to the documentation of
other libraries.
"""

import os
import re
import sys
from pathlib import Path

from docutils.nodes import SkipNode, math_block
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.docutils import SphinxDirective

import skrnn

sys.path.insert(0, str(Path(__file__).parent))

import purposes

project = "skrnn"
author = "The skrnn developers"
copyright = "2026, The skrnn developers"
version = release = skrnn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["skrnn.css"]
html_show_sourcelink = False
html_title = f"skrnn {version}"
html_sidebars = {"index": [], "coming_from/*": []}
html_math_renderer = "mathml"
html_theme_options = {
    "github_url": "https://github.com/skrnn/skrnn",
    "show_prev_next": False,
    "secondary_sidebar_items": {
        "index": [],
        "coming_from/*": [],
        **{f"{room}/*": ["page-toc"] for room in ("api", "user_guide", "examples")},
    },
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
}

numpydoc_show_class_members = False
autodoc_default_options = {"members": True}
autodoc_member_order = "groupwise"

if os.environ.get("SKRNN_DOCS_ONLINE") == "1":
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
        "torch": ("https://docs.pytorch.org/docs/stable", None),
    }

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": "/plot_",
    "within_subsection_order": "FileNameSortKey",
    "thumbnail_size": (480, 300),
    "image_srcset": ["2x"],
    "show_memory": False,
    "show_signature": False,
    "abort_on_example_error": True,
}


class Parameters(SphinxDirective):
    """The tables of all parameters, by purpose, with the estimators that have them."""

    def run(self):
        """The nodes in place of ``.. parameters::``."""
        text = "\n".join(purposes.tables())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def is_left_out(app, what, name, obj, skip, options):
    """Leave out set_fit_request and others, and what the class says of parameters."""
    is_parameter = name in purposes.all_names()
    return True if is_parameter or re.fullmatch(r"set_\w+_request", name) else None


def group_parameters(app, what, name, obj, options, lines):
    """Put the parameters of an estimator under headings, one for each purpose."""
    if what == "class" and purposes.is_estimator(obj):
        lines[:] = purposes.grouped(lines)


def visit_math(self, node):
    """Formulas as MathML, which browsers draw without a script."""
    is_block = isinstance(node, math_block)
    formula = tex2mathml(node.astext(), as_block=is_block)
    self.body.append(f'<div class="math">{formula}</div>' if is_block else formula)
    raise SkipNode


def setup(app):
    """Called by Sphinx."""
    app.add_directive("parameters", Parameters)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    app.connect("autodoc-skip-member", is_left_out)
    app.connect("autodoc-process-docstring", group_parameters, priority=900)
