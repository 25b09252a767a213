"""How the documentation is built: ``sphinx-build -W docs docs/_build``."""

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
# scikit-learn's generated set_*_request refer to its own user guide.
autodoc_default_options = {
    "members": True,
    "exclude-members": "set_fit_request, set_partial_fit_request, set_score_request",
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": "/plot_",
    "show_memory": False,
    "abort_on_example_error": True,
}
