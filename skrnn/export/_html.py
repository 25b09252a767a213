"""A page on which an estimator reads what is typed."""

import json
import re
from importlib.resources import files
from pathlib import Path

from sklearn.utils.validation import check_is_fitted

from skrnn._classifier import RNNClassifier
from skrnn._encoder import RNNEncoder
from skrnn._messages import describe
from skrnn._regressor import RNNRegressor
from skrnn.export._files import write
from skrnn.export._page import content_of
from skrnn.export._page_reading import check_reading

_CLASSES = (RNNClassifier, RNNEncoder, RNNRegressor)


def to_html(estimator, path):
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

    Raises
    ------
    TypeError
        If the estimator is of another class.
    ValueError
        If it reads numbers or sets of features; if `analyzer` or `strip_accents` is a
        function, or `token_pattern` is not the default one, which the page could not
        apply; if some tokens are strings and others integers; or if a parameter or
        fitted attribute has been set to a value that `fit` refuses or would not have
        set.
    NotFittedError
        If the estimator is not fitted.
    OSError
        If the file cannot be written.

    See Also
    --------
    save_safetensors : Write all of an estimator to a file, to load it again.

    Notes
    -----
    The numbers of the page equal those of `predict_proba`, `predict` or `transform` to
    1e-5, relative to a number above 1. Weights are those of float32; but those of
    tokens and of the wide path, if there are more than 65,536, are rounded to multiples
    of 2^-19 or less, and take about 3 bytes each in the file instead of 5. So a page
    has 0.3 MB for a GRU of 100 units that reads single characters, but 12 MB for the
    n-grams of the default, of 13,000 surnames in 18 languages. For a smaller page,
    limit `max_features`: of 2,000 n-grams, it has 4.5 MB; or use
    ``ngram_range=(1, 1)``.

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
    if type(estimator) not in _CLASSES:
        raise TypeError(
            f"{describe(estimator)} cannot be exported to a page: an RNNClassifier, "
            "RNNRegressor or RNNEncoder was expected. For a pipeline, pass its skrnn "
            "step; for other estimators of skrnn, use save_safetensors."
        )
    fitted = estimator._at_this_moment()
    check_is_fitted(fitted)
    fitted._check_parameters()
    fitted._check_fitted(fitted._fitted())
    model, schema = fitted._model_and_schema()
    check_reading(type(fitted).__name__, model.reader, schema.options)
    content = content_of(fitted, model, schema.options)
    write(_page_of(content).encode(), Path(path))


def _page_of(content):
    """The text of the page: its parts in the places that the template has for them."""
    # In ASCII, and without "<", no name or label can end the script that it is in.
    model = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    folder = files("skrnn.export") / "page"

    def part(match):
        name = match[1]
        return model if name == "model" else folder.joinpath(name).read_text("utf-8")

    template = folder.joinpath("page.html").read_text("utf-8")
    return re.sub(r"\{\{(.+?)\}\}", part, template)
