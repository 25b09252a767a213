"""Prompts: what the sequences that a language model writes begin with."""

import numpy as np

from skrnn._core.vocabulary import UNKNOWN
from skrnn._messages import counted, describe
from skrnn._reading.kinds import KIND_NAMES
from skrnn._stream import Stream
from skrnn._warnings import about_prompt, warn


def read_prompt(model, schema, prompt):
    """Read how sequences begin.

    Parameters
    ----------
    model : Model
    schema : Schema
        What sequences must be like.
    prompt : str, list of tokens, array or None
        As the user passed it.

    Returns
    -------
    stream : Stream
        It has read the prompt.
    begun : list or ndarray
        The tokens or the numbers that the prompt stands for; of strings, the prompt as
        a whole.
    """
    stream, is_series = Stream(model, 1), model.head.is_series
    is_analyzed = callable(schema.options.analyzer)
    if not (prompt is None or is_analyzed):
        _check_prompt(prompt, model.reader.kind)
    if prompt is None or (len(prompt) == 0 and not is_analyzed):
        if is_series:
            raise ValueError(
                "prompt is missing: what a series begins with is not learned. Pass the "
                "first numbers of one."
            )
        return stream, []
    with about_prompt():
        sequences = schema.of_any_length().read([prompt], None)
        steps = model.reader.encode(sequences)
    if is_series:
        for numbers in sequences.values:
            stream.step(numbers)
    else:
        _warn_of_prompt(steps.values)
        for i in steps.values:
            stream._read(np.array([i], np.int32))
    return stream, _as_written(prompt, sequences, is_analyzed)


def _check_prompt(prompt, kind):
    """Raise if a prompt is not of the kind that X was."""
    is_string = isinstance(prompt, str)
    if is_string == (kind in ("text", "words")) and hasattr(prompt, "__len__"):
        return
    expected = "a string" if not is_string else "one sequence of it, not a string,"
    raise TypeError(
        f"prompt is {describe(prompt)}, but X held {KIND_NAMES[kind]} in fit: "
        f"{expected} was expected. Pass the beginning of one sequence."
    )


def _warn_of_prompt(ids):
    """Warn if tokens of a prompt are not known."""
    n_unknown = int((ids == UNKNOWN).sum())
    if n_unknown:
        warn(
            f"{n_unknown} of {counted(len(ids), 'token')} of prompt are not in "
            "vocabulary_, and are read as unknown. Use tokens of the training data.",
            UserWarning,
        )


def _as_written(prompt, sequences, is_analyzed):
    """What samples begin with; see :func:`read_prompt`."""
    values = sequences.values
    if sequences.kind == "series":
        is_flat = not is_analyzed and np.ndim(prompt) == 1
        return values.astype(np.float32).reshape(-1 if is_flat else values.shape)
    if sequences.tokens is not None and sequences.kind != "words":
        return [sequences.tokens[i] for i in values]
    return [*map(chr, values)] if is_analyzed else [prompt]


def steps_of(stream, max_length):
    """Yield the expected numbers of the next steps of all series of a stream."""
    numbers = stream.next
    for _ in range(max_length):
        yield numbers
        numbers = stream.step(numbers)


def continued(stream, begun, max_length):
    """Series that go on from the numbers of a prompt as expected."""
    added = np.stack(list(steps_of(stream, max_length)), axis=1)
    added = added.reshape(stream.n_streams, max_length, *begun.shape[1:])
    return [np.concatenate([begun, part]) for part in added]
