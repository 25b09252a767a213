"""Scores of predicted tags and sequences, in the manner of :mod:`sklearn.metrics`.

What is true and what is predicted are lists with the tags or tokens of each sequence,
of any lengths; a string is the list of its characters. With
:func:`sklearn.metrics.make_scorer`, these functions are scorers for
:class:`sklearn.model_selection.GridSearchCV` and others.
"""

from collections import Counter
from numbers import Real
from operator import eq

import numpy as np
from sklearn.utils._param_validation import (
    Interval,
    Options,
    StrOptions,
    validate_params,
)

from skrnn._heads.ragged import parts_of, weight_of_steps
from skrnn._heads.validation import weight_of

__all__ = [
    "span_f1_score",
    "span_precision_recall_fscore_support",
    "token_accuracy_score",
    "token_error_rate",
]

_PREFIXES = {"BIO": "BI", "IOBES": "BIES", "BILOU": "BILU"}
_OF_ANY_SCHEME = "BIESLU"
_AS_IN_IOBES = {"L": "E", "U": "S"}  # L: last, U: unit
_OUTSIDE = ("O", "")
_CONSTRAINTS = {
    "scheme": [StrOptions(set(_PREFIXES)), None],
    "average": [StrOptions({"micro", "macro", "weighted"}), None],
    "zero_division": [Options(Real, {0.0, 1.0}), "nan"],
}
_check = validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
_check_with_beta = validate_params(
    {**_CONSTRAINTS, "beta": [Interval(Real, 0, None, closed="both")]},
    prefer_skip_nested_validation=True,
)


def token_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Share of the steps whose tag is right.

    All steps of all sequences count alike, so that long sequences count more.

    Parameters
    ----------
    y_true : list of n_sequences lists of tags
        The true tags: strings or integers. A string is the list of its characters.
    y_pred : list of n_sequences lists of tags
        The predicted tags.
    sample_weight : array-like of shape (n_sequences,) or list of lists, default=None
        How much each sequence counts at each of its steps, or a weight for each step.

    Returns
    -------
    score : float
        Between 0 and 1.

    Raises
    ------
    TypeError
        If there is no list of tags at each place.
    ValueError
        If sequences or tags are missing on one side; if there are no steps; or if a
        weight is negative or not finite, or all are 0.

    See Also
    --------
    span_f1_score : For tags that mark spans of steps.
    sklearn.metrics.accuracy_score : The same for one label per sample.

    Examples
    --------
    >>> from skrnn.metrics import token_accuracy_score
    >>> y_true = [["DET", "NOUN", "VERB"], ["VERB"]]
    >>> y_pred = [["DET", "VERB", "VERB"], ["VERB"]]
    >>> token_accuracy_score(y_true, y_pred)
    0.75
    """
    true, predicted = _read_tags(y_true, y_pred)
    lengths = [len(tags) for tags in true]
    is_right = [
        is_same
        for tags in zip(true, predicted, strict=True)
        for is_same in map(eq, *tags)
    ]
    if not is_right:
        raise ValueError(
            "The sequences of y_true have no steps, so that no share of them is right. "
            "Pass at least one sequence with a step."
        )
    weights = weight_of_steps(sample_weight, lengths, "y_true")
    return float(np.average(is_right, weights=weights))


def token_error_rate(y_true, y_pred, *, sample_weight=None):
    """Number of tokens to insert, delete or replace, per true token.

    For each sequence, it is the fewest of such changes that turn the predicted one into
    the true one, their edit distance [1]_; 0 is perfect. Of words, this is the word
    error rate, and of characters, the character error rate.

    Parameters
    ----------
    y_true : list of n_sequences strings or lists of tokens
        The true sequences, such as those that :class:`~skrnn.RNNSeq2Seq` learns to
        predict. The tokens of a string are its characters; for words, split it.
    y_pred : list of n_sequences strings or lists of tokens
        The predicted sequences.
    sample_weight : array-like of shape (n_sequences,), default=None
        How much the changes and the tokens of each sequence count. None counts all the
        same.

    Returns
    -------
    rate : float
        From 0. Above 1 if there are more changes than true tokens.

    Raises
    ------
    TypeError
        If there is no string or list at each place.
    ValueError
        If sequences are missing on one side; if no true sequence has a token; or if a
        weight is negative or not finite.

    See Also
    --------
    token_accuracy_score : For tags, of which there is one for each step.

    References
    ----------
    .. [1] Wagner and Fischer (1974), "The String-to-String Correction Problem", Journal
       of the ACM 21(1).

    Examples
    --------
    >>> from skrnn.metrics import token_error_rate
    >>> token_error_rate(["sechs", "drei"], ["secs", "drei"])  # 1 of 9
    0.1111111111111111
    >>> token_error_rate([["T", "AA", "K"]], [["T", "AE", "K", "S"]])
    0.6666666666666666
    """
    true, predicted = _read_sequences(y_true, y_pred)
    lengths = np.array([len(tokens) for tokens in true])
    weight = weight_of(sample_weight, lengths)
    n_tokens = weight @ lengths
    if not n_tokens:
        raise ValueError(
            "The sequences of y_true have no tokens, so that there is no rate per "
            "token. Pass at least one sequence with a token, and a weight above 0."
        )
    return float(weight @ [*map(_edit_distance, true, predicted)] / n_tokens)


@_check
def span_f1_score(y_true, y_pred, *, scheme=None, average="micro", zero_division=0.0):
    """F1 score of spans, such as named entities.

    A predicted span is right if a true one has the same type, and begins and ends at
    the same steps. The score is the harmonic mean of precision, the share of the
    predicted spans that are right, and recall, the share of the true spans that are
    found. By default, it is that of conlleval [1]_, as a share instead of a percentage.

    Parameters
    ----------
    y_true : list of n_sequences lists of str
        The true tags: "O" outside of spans; else a letter that says where in a span a
        step is, and after a hyphen its type, as in "B-PER". The letters are B for the
        begin and I for the inside; E or L for the end, and S or U for a span of one
        step.
    y_pred : list of n_sequences lists of str
        The predicted tags.
    scheme : {"BIO", "IOBES", "BILOU"} or None, default=None
        What a span is:

        - None, by the rules of conlleval: a span goes on with an I or E of its type
          after a B or I. Any other tag but "O" begins a new one, also an I after "O".
          This reads all schemes.
        - "BIO": one B, then any number of I of the same type. All other I are outside
          of spans.
        - "IOBES" and "BILOU": one S (U); or one B, any number of I, and one E (L) of
          the same type. All other tags are outside of spans.
    average : {"micro", "macro", "weighted"} or None, default="micro"
        How the types of spans are put together: all spans count alike ("micro"), all
        types count alike ("macro"), or each type counts as often as it is true
        ("weighted"). None for a score of each type, in sorted order.
    zero_division : {0.0, 1.0, np.nan}, default=0.0
        The score where there are neither true nor predicted spans. Means over types
        ignore NaN.

    Returns
    -------
    score : float, or ndarray of shape (n_types,) if ``average=None``
        Between 0 and 1.

    Raises
    ------
    TypeError
        If there is no list of tags at each place.
    ValueError
        If sequences or tags are missing on one side, or a tag is not one of the scheme.

    See Also
    --------
    span_precision_recall_fscore_support : Its parts.
    token_accuracy_score : Share of the steps whose tag is right.
    sklearn.metrics.f1_score : The same for one label per sample.

    References
    ----------
    .. [1] Tjong Kim Sang and Buchholz (2000), "Introduction to the CoNLL-2000 Shared
       Task: Chunking", CoNLL.

    Examples
    --------
    >>> from skrnn.metrics import span_f1_score
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC"]]
    >>> y_pred = [["B-PER", "O", "O", "B-LOC"], ["O", "I-LOC"]]
    >>> round(span_f1_score(y_true, y_pred), 3)
    0.667
    >>> span_f1_score(y_true, y_pred, scheme="BIO")
    0.4
    """
    return span_precision_recall_fscore_support(
        y_true, y_pred, scheme=scheme, average=average, zero_division=zero_division
    )[2]


@_check_with_beta
def span_precision_recall_fscore_support(
    y_true, y_pred, *, beta=1.0, scheme=None, average=None, zero_division=0.0
):
    """Precision, recall, F score and number of spans, such as named entities.

    A predicted span is right if a true one has the same type, and begins and ends at
    the same steps.

    Parameters
    ----------
    y_true : list of n_sequences lists of str
        The true tags; see :func:`span_f1_score`.
    y_pred : list of n_sequences lists of str
        The predicted tags.
    beta : float, default=1.0
        How many times as much recall counts as precision in the F score.
    scheme : {"BIO", "IOBES", "BILOU"} or None, default=None
        What a span is; see :func:`span_f1_score`.
    average : {"micro", "macro", "weighted"} or None, default=None
        How the types of spans are put together: all spans count alike ("micro"), all
        types count alike ("macro"), or each type counts as often as it is true
        ("weighted"). None for numbers of each type, in sorted order.
    zero_division : {0.0, 1.0, np.nan}, default=0.0
        The precision where no spans are predicted, the recall where none are true, and
        the F score where neither are. Means over types ignore NaN.

    Returns
    -------
    precision : float, or ndarray of shape (n_types,) if ``average=None``
        Share of the predicted spans that are right.
    recall : float, or ndarray of shape (n_types,) if ``average=None``
        Share of the true spans that are found.
    fscore : float, or ndarray of shape (n_types,) if ``average=None``
        The mean of both, harmonic if beta is 1.
    support : ndarray of shape (n_types,), or None unless ``average=None``
        Number of true spans.

    Raises
    ------
    TypeError
        If there is no list of tags at each place.
    ValueError
        If sequences or tags are missing on one side, or a tag is not one of the scheme.

    See Also
    --------
    span_f1_score : The F score alone, of all types.
    sklearn.metrics.precision_recall_fscore_support : The same for one label per sample.

    Examples
    --------
    >>> from skrnn.metrics import span_precision_recall_fscore_support
    >>> y_true = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC"]]
    >>> y_pred = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-PER"]]
    >>> precision, recall, f1, support = span_precision_recall_fscore_support(
    ...     y_true, y_pred
    ... )
    >>> precision  # of LOC and PER
    array([1. , 0.5])
    >>> recall
    array([0.5, 1. ])
    >>> support
    array([2, 1])
    """
    n_right, n_predicted, n_true = _count(y_true, y_pred, scheme)
    if average == "micro":
        n_right, n_predicted, n_true = n_right.sum(), n_predicted.sum(), n_true.sum()
    # An infinite beta is recall alone.
    share = 1 / (1 + beta * beta)  # beta**2 would overflow
    n_both = share * n_predicted + (1 - share) * n_true
    scores = [_divide(n_right, n, zero_division) for n in (n_predicted, n_true, n_both)]
    if average is None:
        return *scores, n_true
    if average != "micro":
        weights = n_true if average == "weighted" else np.ones(len(n_true))
        scores = [_mean(score, weights, zero_division) for score in scores]
    return *map(float, scores), None


def _read_tags(y_true, y_pred):
    """The tags as two lists, with those of each sequence.

    Raises
    ------
    TypeError, ValueError
        If there are no tags of a sequence at each place; or if they differ in the
        number of sequences, or of tags of a sequence.
    """
    true, predicted = _read_sequences(y_true, y_pred)
    for i, (ours, theirs) in enumerate(zip(true, predicted, strict=True)):
        if len(ours) != len(theirs):
            raise ValueError(
                f"y_true[{i}] has length {len(ours)}, but y_pred[{i}] has length "
                f"{len(theirs)}: a sequence needs one true and one predicted tag at "
                "each step."
            )
    return true, predicted


def _read_sequences(y_true, y_pred):
    """The tags or tokens as two lists, with those of each sequence.

    Raises
    ------
    TypeError, ValueError
        If there is no sequence at each place, or on one side only.
    """
    true, predicted = parts_of(y_true, "y_true"), parts_of(y_pred, "y_pred")
    if len(true) != len(predicted):
        raise ValueError(
            f"y_true has length {len(true)}, but y_pred has length {len(predicted)}: "
            "pass what is true and what is predicted of the same sequences."
        )
    return true, predicted


def _edit_distance(a, b):
    """The fewest tokens to insert, delete or replace that make b of a."""
    above = list(range(len(b) + 1))  # from no token of a to each beginning of b
    for i, token in enumerate(a, start=1):
        row = [i]
        for j, other in enumerate(b, start=1):
            replaced = above[j - 1] + (token != other)
            row.append(min(row[-1] + 1, above[j] + 1, replaced))
        above = row
    return above[-1]


def _count(y_true, y_pred, scheme):
    """How many spans of each type are right, predicted and true.

    Returns
    -------
    n_right, n_predicted, n_true : ndarrays of shape (n_types,), int64
        One number for each type, in sorted order.
    """
    true, predicted = _read_tags(y_true, y_pred)
    true_spans = _all_spans(true, scheme, "y_true")
    predicted_spans = _all_spans(predicted, scheme, "y_pred")
    right_spans = true_spans & predicted_spans
    counts = [
        Counter(kind for *_, kind in spans)
        for spans in (right_spans, predicted_spans, true_spans)
    ]
    kinds = sorted(counts[1].keys() | counts[2].keys())
    return [np.array([n[kind] for kind in kinds], np.int64) for n in counts]


def _all_spans(sequences, scheme, what):
    """The spans of all sequences, as tuples (sequence, first, end, type)."""
    known, spans = {"O": _OUTSIDE}, set()
    for i, tags in enumerate(sequences):
        for t, tag in enumerate(tags):
            if not isinstance(tag, str) or tag not in known:
                known[tag] = _split(tag, scheme, f"{what}[{i}]", t)
        read = [known[tag] for tag in tags]
        spans.update((i, *span) for span in _spans(read, scheme))
    return spans


def _split(tag, scheme, where, step):
    """A tag as a letter of IOBES and a type."""
    letters = _PREFIXES.get(scheme, _OF_ANY_SCHEME)
    prefix, _, kind = tag.partition("-") if isinstance(tag, str) else ("", "", "")
    if len(prefix) == 1 and prefix in letters:
        return _AS_IN_IOBES.get(prefix, prefix), kind
    scheme_name = f"scheme={scheme!r}" if scheme else "spans"
    begins = ", ".join(f"{letter}-" for letter in letters)
    cure = " Leave out scheme to read those of all schemes." if scheme else ""
    if tag == "-":  # of "B-PER" in the place of a list
        what = where.partition("[")[0]
        cure = f" If {what} is one sequence, pass [{what}]."
    raise ValueError(
        f"{where} has {tag!r} at step {step}, but the tags of {scheme_name} are 'O', "
        f"or strings that begin with one of {begins}.{cure}"
    )


def _spans(tags, scheme):
    """Yield (first, end, type) of each span; end is the step after the last."""
    first, before = 0, _OUTSIDE
    for t, tag in enumerate([*tags, _OUTSIDE]):
        (letter, kind), (letter_before, kind_before) = tag, before
        goes_on = letter in "IE" and letter_before in "BI" and kind == kind_before
        if not goes_on:
            if letter_before != "O" and _is_whole(tags[first:t], scheme):
                yield first, t, kind_before
            first = t
        before = tag


def _is_whole(tags, scheme):
    """Whether the tags of a span begin and end as the scheme says."""
    first, last = tags[0][0], tags[-1][0]
    if scheme is None:
        return True
    if scheme == "BIO":
        return first == "B"
    return first == "S" if len(tags) == 1 else (first, last) == ("B", "E")


def _divide(n, by, zero_division):
    """n / by, and zero_division where that is 0 / 0."""
    result = np.full(np.shape(n), float(zero_division))
    return np.divide(n, by, out=result, where=np.asarray(by) > 0)


def _mean(scores, weights, zero_division):
    """The weighted mean of those that are numbers."""
    weights = np.where(np.isnan(scores), 0, weights)
    return _divide(
        (np.nan_to_num(scores) * weights).sum(), weights.sum(), zero_division
    )
