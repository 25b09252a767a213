"""Which reader reads which kind of sequences."""

from skrnn._reading import series, tokens
from skrnn._reading.kinds import KIND_NAMES
from skrnn._reading.series import SeriesReader
from skrnn._reading.tokens import TokenReader
from skrnn._warnings import warn

ATTRIBUTES = (*tokens.ATTRIBUTES, *series.ATTRIBUTES)


def learn_reader(options, samples, generator, has_labels=True):
    """Learn how to read the training data.

    Parameters
    ----------
    options : ReadingOptions
    samples : Samples
        With Sequences.
    generator : torch.Generator
    has_labels : bool, default=True
        Whether labels or tokens are predicted, rather than numbers.

    Returns
    -------
    reader : TokenReader or SeriesReader
    steps : Steps
    """
    kind = samples.steps.kind
    _warn_of_no_effect(options, kind)
    if kind != "series":
        return TokenReader.learn(options, samples, generator, has_labels)
    for name in ("embeddings", "vocabulary"):
        if getattr(options, name) is not None:
            raise ValueError(
                f"{name} needs tokens, but X holds sequences of numbers. Use "
                f"{name}=None, or analyzer='token' if whole numbers are tokens."
            )
    return SeriesReader.learn(options, samples)


def reader_of(attributes):
    """The reader of a fitted estimator, from its attributes."""
    reader = SeriesReader if attributes["kind_"] == "series" else TokenReader
    return reader.from_attributes(attributes)


def _warn_of_no_effect(options, kind):
    """Warn if parameters for text are set, but X does not hold text."""
    if kind in ("text", "words"):
        return
    for name, value in (("lowercase", False), ("strip_accents", None)):
        if getattr(options, name) != value:
            warn(
                f"{name}={getattr(options, name)!r} is without effect: X holds "
                f"{KIND_NAMES[kind]}, not strings. Change the tokens before "
                "fit, or pass strings with analyzer='word'.",
                UserWarning,
            )
