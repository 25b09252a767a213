"""How the documentation is built: ``sphinx-build -W docs docs/_build``."""

import re

import skrnn

project = "skrnn"
author = "The skrnn developers"
copyright = "2026, The skrnn developers"
version = release = skrnn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
html_theme = "alabaster"

numpydoc_show_class_members = False
autodoc_default_options = {"members": True}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": "/plot_",
    "show_memory": False,
    "abort_on_example_error": True,
}


def is_generated(app, what, name, obj, skip, options):
    """Leave out set_fit_request and others: they refer to scikit-learn's own guide."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app):
    """Called by Sphinx."""
    app.connect("autodoc-skip-member", is_generated)
