"""What can be read outside of Python, as it is typed."""

from skrnn._messages import describe
from skrnn._reading.kinds import KIND_NAMES
from skrnn._reading.text import TOKEN_PATTERN


def only_in_python(kind, options):
    """What of reading only Python can do, or None, and the cure.

    Parameters
    ----------
    kind : {"text", "words", "tokens", "features", "series"}
    options : ReadingOptions

    Returns
    -------
    what, cure : str or None
    """
    if callable(options.analyzer):
        what = f"analyzer is {describe(options.analyzer)}"
        return what, "Fit on what it returns, with analyzer='auto'."
    if callable(options.strip_accents):
        what = f"strip_accents is {describe(options.strip_accents)}"
        return what, "Use 'unicode', 'ascii' or None, or apply the function before fit."
    if kind == "words" and options.token_pattern != TOKEN_PATTERN:
        what = f"token_pattern is {options.token_pattern!r}"
        return what, "Use the default one, or fit on the lists that re.findall returns."
    return None, None


def not_typed(reader, options):
    """What a person cannot type for an estimator to read, or None, and the cure.

    Parameters
    ----------
    reader : TokenReader or SeriesReader
    options : ReadingOptions

    Returns
    -------
    what, cure : str or None
    """
    if reader.kind in ("series", "features"):
        what = f"the estimator reads {KIND_NAMES[reader.kind]}"
        return what, "Pass strings or token lists to fit, or use save_safetensors."
    if reader.kind == "tokens":
        are_strings = {isinstance(token, str) for token in tokens_of(reader)}
        if len(are_strings) > 1:
            what = "some tokens are strings, and some integers"
            return what, "Make all of them strings before fit."
    return only_in_python(reader.kind, options)


def tokens_of(reader):
    """The single tokens that occur in n-grams, without repetitions."""
    if reader.grams is not None:
        return list(reader.grams["number_of"])
    return list(reader.vocabulary)
