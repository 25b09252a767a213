"""A page on which an estimator reads what is typed."""

import json
import re
from importlib.resources import files
from pathlib import Path

from sklearn.utils._param_validation import StrOptions, validate_params

from skrnn._classifier import RNNClassifier
from skrnn._encoder import RNNEncoder
from skrnn._files import write
from skrnn._regressor import RNNRegressor
from skrnn.export._fitted import model_of
from skrnn.export._page import content_of
from skrnn.export._page_reading import check_reading

_CLASSES = (RNNClassifier, RNNRegressor, RNNEncoder)
_LARGE = 5_000_000  # bytes of a page


@validate_params(
    {"weights": [StrOptions({"auto", "exact", "rounded"})]},
    prefer_skip_nested_validation=True,
)
def to_html(estimator, path, *, weights="auto"):
    """Write a page on which a fitted estimator reads what is typed, letter by letter.

    The page is one HTML file, which any browser of 2023 or later opens from disk or
    from a server; it holds the weights, and loads nothing from elsewhere. It shows the
    hidden states as coloured cells, a row for each character, word or token; what is
    predicted after each of them; and the vectors of the tokens (the columns of ``U_``,
    or ``embeddings_``) as a map, their first two principal components. What is behind
    ``#`` in the address of the page is read first, as in ``names.html#Rossi``.

    Parameters
    ----------
    estimator : RNNClassifier, RNNRegressor or RNNEncoder
        The fitted estimator. It reads strings, or lists of tokens.
    path : str or PathLike
        Path of the file, which is written as :func:`save_safetensors` does it.
    weights : {"auto", "exact", "rounded"}, default="auto"
        "exact" weights give the numbers of the estimator to 1e-5. "rounded" ones make
        the page smaller; it then says that they are, and how much this changes the
        numbers that it shows first. "auto" is "exact" if the page is then smaller than
        5 MB (5,000,000 bytes), and otherwise "rounded".

    Raises
    ------
    TypeError
        If the estimator is of another class.
    ValueError
        If it reads numbers or sets of features; if `analyzer` or `strip_accents` is a
        function, or `token_pattern` is not the default one, which the page could not
        apply; if some tokens are strings and others integers; if a parameter or fitted
        attribute has been set to a value that `fit` refuses or would not have set; or
        if `weights` is not one of the values above.
    NotFittedError
        If the estimator is not fitted.
    OSError
        If the file cannot be written.

    See Also
    --------
    save_safetensors : Write all of an estimator to a file, to load it again.

    Notes
    -----
    The numbers of a page with exact weights equal those of `predict_proba`, `predict`
    or `transform` to 1e-5, relative to a number above 1. Such weights are those of
    float32; but in ``U_``, ``embeddings_`` and ``wide_coef_``, those of arrays of
    65,536 numbers or more are rounded to multiples of 2^-19 or less, and take about 3
    bytes each in the file instead of 5. So a page has 0.3 MB for a GRU of 100 units
    that reads single characters, but 11 MB for the n-grams of the default, of 10,700
    surnames in 18 languages.

    Rounded weights in ``U_``, ``embeddings_`` and ``wide_coef_`` are multiples of the
    largest power of 2 that is at most a 20th of their standard deviation, and take
    about 1.2 bytes each: the page of these surnames has 4.2 MB. For 2,675 surnames that
    were held out, this rounding changed the probabilities of a default model by up to
    0.007, and by 6e-5 on average; and 2 of the predicted languages. The numbers of the
    page equal those of an estimator with the same rounded weights to 1e-5.

    For a smaller page, limit `max_features`: of 2,000 n-grams, it has 4.1 MB with exact
    weights; or use ``ngram_range=(1, 1)`` and ``wide_ngram_range=None``.

    Labels and tokens are shown as text, whatever they look like.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skrnn import RNNClassifier
    >>> from skrnn.export import to_html
    >>> words = ["cat", "chat", "katze"]
    >>> languages = ["English", "French", "German"]
    >>> classifier = RNNClassifier(nhidden=4, random_state=0).fit(words, languages)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "cat.html"
    ...     to_html(classifier, path)
    ...     path.read_text(encoding="utf-8")[:15]
    '<!DOCTYPE html>'
    """
    fitted, model, options = model_of(estimator, _CLASSES, "to a page")
    check_reading(model.reader, options)
    page = None if weights == "rounded" else _page_of(content_of(fitted, "exact"))
    if page is None or (weights == "auto" and len(page) >= _LARGE):
        page = _page_of(content_of(fitted, "rounded"))
    write(page, Path(path))


def _page_of(content):
    """The bytes of the page: its parts in the places that the template has for them."""
    # In ASCII, and without "<", no name or label can end the script that it is in.
    model = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    folder = files("skrnn.export") / "page"

    def part(match):
        name = match[1]
        return model if name == "model" else folder.joinpath(name).read_text("utf-8")

    template = folder.joinpath("page.html").read_text("utf-8")
    return re.sub(r"\{\{(.+?)\}\}", part, template).encode()
