"""Reading sequences step by step: their tags, and drawing what comes next."""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from skrnn._core.generate import draw, probabilities
from skrnn._core.sequences import Sequences
from skrnn._core.vocabulary import END, UNKNOWN
from skrnn._messages import counted, cure_for, describe
from skrnn._reading.kinds import INTEGERS, are_features
from skrnn._reading.lists import sequences_of
from skrnn._reading.text import preprocessed
from skrnn._reading.tokens import check_types
from skrnn._warnings import about_tokens


class StepReader:
    """Sequences that are read side by side, one step at a time.

    Parameters
    ----------
    model : Model
        A fitted model, which does not change any more.
    n_streams : int
        The number of sequences.
    context : Context, default=None
        The vectors of the sequences, if they depend on one each.
    options : ReadingOptions, default=None
        How strings are read. None reads them as they are.
    """

    def __init__(self, model, n_streams, context=None, options=None):
        self.n_streams = n_streams
        self._model, self._context = model, context
        self._preprocessing = None
        is_text = model.reader.kind in ("text", "words")
        if is_text and options and (options.lowercase or options.strip_accents):
            self._preprocessing = options.lowercase, options.strip_accents
        # The last steps: of series, there are differences; of tokens, n-grams.
        self._recent = None
        self._steps = None
        self._resume(None)

    def _resume(self, states):
        self._steps = self._model.step_by_step(self.n_streams, states, self._context)

    def __getstate__(self):
        states = self._steps.states
        if states is not None:  # their memory is used again
            states = [tuple(part.copy() for part in parts) for parts in states]
        kept = {k: v for k, v in vars(self).items() if k != "_steps"}
        return {**kept, "states": states}

    def __setstate__(self, state):
        states = state.pop("states")
        self.__dict__.update(state)
        self._resume(states)

    @property
    def h(self):
        """The hidden states, an array of shape (n_streams, nhidden), float32."""
        return self._steps.h.copy()

    def _read(self, x):
        """Read one step as the network takes it."""
        self._steps.read(x)

    def _encoded(self, step):
        """A step of each sequence as the network takes it."""
        with about_tokens():
            if self._model.reader.kind == "series":
                return self._encoded_numbers(step)
            return self._encoded_tokens(self._one_for_each(step))

    def _one_for_each(self, tokens):
        """A list of tokens, one for each sequence, as the reader knows them."""
        kind = self._model.reader.kind
        if hasattr(tokens, "tolist") and not isinstance(tokens, np.generic):
            tokens = tokens.tolist()  # of an array or a tensor
        is_one = isinstance(tokens, (str, *INTEGERS))
        is_one |= kind == "features" and are_features(tokens)
        if is_one and self.n_streams == 1:
            tokens = [tokens]
        if not isinstance(tokens, Iterable):
            raise TypeError(
                f"tokens is {describe(tokens)}: one token for each stream was "
                "expected. Pass a list of them."
            )
        tokens = list(tokens)
        if len(tokens) != self.n_streams:
            raise ValueError(
                f"{counted(len(tokens), 'token')} were passed to "
                f"{counted(self.n_streams, 'stream')}. Pass one token for each."
            )
        for i, token in enumerate(tokens):
            if kind == "text" and not (isinstance(token, str) and len(token) == 1):
                raise ValueError(
                    f"{token!r:.40} is not one character. Pass one for each stream, "
                    "and a string one character after the other."
                )
            if kind != "features" and not isinstance(token, (str, *INTEGERS)):
                raise TypeError(
                    f"tokens[{i}] is {describe(token)}: tokens must be strings or "
                    f"integers. {cure_for(token)}"
                )
        return self._preprocessed(tokens) if self._preprocessing else tokens

    def _preprocessed(self, tokens):
        """Characters or words as they are read."""
        read = preprocessed(tokens, *self._preprocessing)
        if self._model.reader.kind == "text":
            for token, string in zip(tokens, read, strict=True):
                if len(string) != 1:
                    raise ValueError(
                        f"{token!r} is read as {string!r}, by lowercase or "
                        "strip_accents: one character was expected. Pass the "
                        "characters of that one after the other."
                    )
        return read

    def _encoded_tokens(self, tokens):
        """The ids of tokens, and of the n-grams and subwords that end with them."""
        reader = self._model.reader
        is_single = reader.ngram_range == (1, 1) and reader.subwords is None
        if is_single and reader.kind != "features":
            ids = [reader.vocabulary.get(token, UNKNOWN) for token in tokens]
            if not any(ids):
                cure = "[{}(token) for token in tokens]"
                check_types(tokens, reader.vocabulary, cure)
            return np.array(ids, np.int32)
        before = self._recent or [[]] * self.n_streams
        # As many tokens as the longest n-gram has.
        n = reader.ngram_range[1]
        recent = [[*last, t][-n:] for last, t in zip(before, tokens, strict=True)]
        steps = reader.encode(sequences_of(recent, reader.kind))
        self._recent = recent
        return np.ascontiguousarray(steps.values[steps.offsets[1:] - 1])

    def _encoded_numbers(self, numbers):
        """A step of series, with its differences from the steps before it."""
        reader = self._model.reader
        values = self._numbers_for_each(numbers)[:, np.newaxis]
        if self._recent is not None:
            values = np.concatenate([self._recent, values], axis=1)
        # As many steps as the highest difference is made of, and at least the one
        # before: what is missing has its value.
        values = values[:, -max(len(reader.difference_scale), 1) - 1 :]
        n_steps, n_features = values.shape[1:]
        offsets = n_steps * np.arange(self.n_streams + 1)
        rows = np.ascontiguousarray(values.reshape(-1, n_features))
        steps = reader.encode(Sequences("series", rows, offsets))
        before, last = values[:, -2:-1], values[:, -1:]
        if before.size:
            last = np.where(np.isnan(last), before, last)
        self._recent = np.concatenate([values[:, :-1], last], axis=1)
        return np.ascontiguousarray(steps.values[offsets[1:] - 1])

    def _numbers_for_each(self, numbers):
        """The numbers of a step, float64 of shape (n_streams, n_features)."""
        reader, n = self._model.reader, self.n_streams
        n_features = len(reader.mean)
        try:
            values = np.asarray(numbers, np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"tokens is {describe(numbers)}, which does not hold numbers: {error}. "
                "Pass one row of numbers for each stream."
            ) from error
        shapes = [(n, n_features)]
        shapes += [(n,)] * (n_features == 1) + [(n_features,)] * (n == 1)
        shapes += [()] * (n == n_features == 1)
        if values.shape not in shapes:
            raise ValueError(
                f"An array of shape {values.shape} was passed to "
                f"{counted(n, 'stream')} of {counted(n_features, 'feature')}. Pass one "
                "row of numbers for each."
            )
        may_be_missing = reader.missing == "mask"
        if not (np.isfinite(values) | np.isnan(values) & may_be_missing).all():
            raise ValueError(
                "A step contains NaN or infinity. Pass numbers for all features."
            )
        return values.reshape(n, n_features)


class Stream(StepReader):
    """Sequences that a language model reads side by side, one step at a time.

    It is what ``start()`` of a fitted :class:`skrnn.RNNLanguageModel` returns. It can
    be copied and pickled between two steps.

    Parameters
    ----------
    model : Model
        A fitted model, which does not change any more.
    n_streams : int
        The number of sequences.
    context : Context, default=None
        The vectors of the sequences, if they depend on one each.
    options : ReadingOptions, default=None
        How strings are read. None reads them as they are.

    Attributes
    ----------
    n_streams : int
        The number of sequences.

    See Also
    --------
    skrnn.RNNLanguageModel.start : Starts a stream.

    Notes
    -----
    The time and memory of a step do not depend on the number of steps before it.
    Results are those of reading all steps at once.

    Examples
    --------
    >>> from skrnn import RNNLanguageModel
    >>> model = RNNLanguageModel(8, max_iter=200, random_state=0).fit("abc" * 200)
    >>> stream = model.start()
    >>> for token in "abca":
    ...     (p,) = stream.step(token)
    >>> model.tokens_[p.argmax()]
    'b'
    """

    def _resume(self, states):
        super()._resume(states)
        if states is None and not self._model.head.is_series:
            self._read(np.full(self.n_streams, UNKNOWN, np.int32))  # the start

    def step(self, tokens):
        """Read one more step of each sequence.

        Parameters
        ----------
        tokens : str, or array-like of shape (n_streams,) or (n_streams, n_features)
            One token for each sequence, as in `vocabulary_`: of a string, each
            character. Tokens that are not in `vocabulary_` are read as unknown. If the
            model was fitted on series, the numbers of one step of each. If there is one
            sequence, its token, or its numbers, alone will do.

        Returns
        -------
        next : ndarray of shape (n_streams, n_tokens) or (n_streams, n_features)
            See :attr:`next`.

        Raises
        ------
        TypeError
            If tokens are neither strings nor integers, or all are strings, and those of
            `vocabulary_` integers, or vice versa.
        ValueError
            If there is not one token, or not one row of numbers, for each sequence.
        """
        self._read(self._encoded(tokens))
        return self.next

    @property
    def next(self):
        """What comes next in each sequence.

        Returns
        -------
        next : ndarray of shape (n_streams, n_tokens) or (n_streams, n_features)
            The probability of each of the `tokens_` of the model, float64; for series,
            the numbers that are expected, float32.
        """
        if self._model.head.is_series:
            return self._model.reader.numbers(self._steps.scores())
        return self._model.head.proba(self._steps.scores())

    def _scores(self):
        """The scores of all outputs; -inf for what is impossible."""
        return self._model.head.possible(self._steps.scores())

    def _take(self, rows):
        """Go on with some of the sequences, one of them several times perhaps."""
        self._steps.take(rows)
        if self._recent is not None:
            self._recent = self._recent[rows]
        self.n_streams = len(self._steps.h)


class TagStream(StepReader):
    """Sequences that a tagger reads side by side, one step at a time.

    It is what ``start()`` of a fitted :class:`skrnn.RNNTagger` returns. It can be
    copied and pickled between two steps.

    Parameters
    ----------
    model : Model
        A fitted model of one direction, which does not change any more.
    n_streams : int
        The number of sequences.
    context : None
        Tags depend on the sequences alone.
    options : ReadingOptions, default=None
        How strings are read. None reads them as they are.

    Attributes
    ----------
    n_streams : int
        The number of sequences.

    See Also
    --------
    skrnn.RNNTagger.start : Starts a stream.

    Notes
    -----
    The time and memory of a step do not depend on the number of steps before it.
    Results are those of :meth:`skrnn.RNNTagger.predict_proba`.

    Examples
    --------
    >>> from skrnn import RNNTagger
    >>> X, y = ["banana", "tomato", "paper"] * 9, ["cvcvcv", "cvcvcv", "cvcvc"] * 9
    >>> tagger = RNNTagger(8, bidirectional=False, random_state=0).fit(X, y)
    >>> stream = tagger.start()
    >>> [str(tagger.classes_[stream.step(letter)[0].argmax()]) for letter in "potato"]
    ['c', 'v', 'c', 'v', 'c', 'v']
    """

    def step(self, tokens):
        """Read one more step of each sequence.

        Parameters
        ----------
        tokens : str, or array-like of shape (n_streams,) or (n_streams, n_features)
            One token for each sequence, as in `vocabulary_`: of a string, each
            character. If the tagger was fitted on features, those of one step of each;
            on series, the numbers, which may be NaN if `missing` is "mask". If there is
            one sequence, its token, its features or its numbers alone will do.

        Returns
        -------
        proba : ndarray of shape (n_streams, n_classes), float64
            The probability of each of the `classes_` at this step, given the steps up
            to it.

        Raises
        ------
        TypeError
            If the tokens are not of the type that those of X were in `fit`.
        ValueError
            If there is not one token, or not one row of numbers, for each sequence.
        """
        self._read(self._encoded(tokens))
        return self._model.head.probabilities(self._steps.scores(), None)


@dataclass(frozen=True, slots=True)
class Draws:
    """How tokens are drawn, one after the other, and where that ends.

    Attributes
    ----------
    temperature, top_k, top_p
        As in :func:`skrnn._core.generate.probabilities`.
    max_length : int
        The largest number of tokens to draw.
    stops : list of lists of ids
        Nothing is drawn after one of these.
    """

    temperature: float
    top_k: int | None
    top_p: float | None
    max_length: int
    stops: list

    def of(self, stream, random_state):
        """Draw tokens for each sequence of a stream, until all have ended.

        Yields
        ------
        rows : ndarray of shape (n,)
            Which of the sequences have not ended.
        ids : ndarray of shape (n,)
            The token that is drawn for each of them.
        scores : ndarray of shape (n, n_outputs)
            Those by which it is drawn.
        """
        n, learns_end = stream.n_streams, stream._model.head.learns_end
        rows, drawn = np.arange(n), np.zeros((n, 0), np.int64)
        longest = max(map(len, self.stops), default=1)
        for _ in range(self.max_length):
            scores = stream._scores()
            p = probabilities(scores, self.temperature, self.top_k, self.top_p)
            # Numbers for all sequences, whichever of them have ended.
            ids = draw(p, random_state.random_sample(n)[rows])
            goes_on = (ids != END) if learns_end else np.ones(len(ids), bool)
            rows, ids, drawn = rows[goes_on], ids[goes_on], drawn[goes_on]
            if not len(rows):
                return
            yield rows, ids, scores[goes_on]
            drawn = np.column_stack([drawn, ids])[:, -longest:]
            is_over = np.zeros(len(rows), bool)
            for stop in self.stops:
                if drawn.shape[1] >= len(stop):
                    is_over |= (drawn[:, -len(stop) :] == stop).all(axis=1)
            places = np.flatnonzero(goes_on)[~is_over]
            rows, ids, drawn = rows[~is_over], ids[~is_over], drawn[~is_over]
            if not len(rows):
                return
            if len(places) < stream.n_streams:
                stream._take(places)
            stream._read(ids.astype(np.int32))


def check_draws(n_samples, max_length, temperature, top_k, top_p):
    """Raise if what is asked for cannot be drawn.

    Raises
    ------
    ValueError
    """
    check_count("n_samples", n_samples)
    check_count("max_length", max_length)
    if top_k is not None:
        check_count("top_k", top_k, ", or None to draw from all tokens")
    if not _is_in(temperature, 0, np.inf) or temperature == np.inf:
        raise ValueError(
            f"temperature is {temperature!r}: a number from 0 was expected. Use 1 for "
            "the probabilities of the model, less for likelier tokens, and 0 for the "
            "likeliest alone."
        )
    if top_p is not None and not (_is_in(top_p, 0, 1) and top_p > 0):
        raise ValueError(
            f"top_p is {top_p!r}: a probability above 0 and up to 1 was expected, or "
            "None to draw from all tokens."
        )


def check_count(name, value, otherwise=""):
    """Raise unless an argument is a whole number from 1.

    Raises
    ------
    ValueError
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"{name} is {value!r}: a whole number from 1 was expected{otherwise}."
        )


def random_state_of(random_state):
    """A RandomState; a new one for None, rather than the global one of NumPy."""
    if random_state is None:
        return np.random.RandomState()
    return check_random_state(random_state)


def _is_in(value, least, most):
    try:
        return bool(least <= value <= most)
    except TypeError:
        return False


def stops_of(stop, kind, token_of):
    """The ids of each of the ends that are asked for.

    Parameters
    ----------
    stop : token, list of tokens or None
        If characters are the tokens, any strings.
    kind : {"text", "words", "tokens"}
    token_of : dict of int -> token
        The tokens that may be drawn.

    Raises
    ------
    ValueError
        If nothing that is drawn can be such an end.
    """
    if stop is None:
        return []
    found, id_of = [], {token: i for i, token in token_of.items()}
    for each in stop if isinstance(stop, (list, tuple, set)) else [stop]:
        is_text = kind == "text" and isinstance(each, str)
        ids = [id_of.get(token) for token in (each if is_text else [each])]
        if not ids or None in ids:
            raise ValueError(
                f"stop is {each!r:.40}, {describe(each)} that is never drawn, since "
                "not all of it is in tokens_. Use tokens of the training data."
            )
        found.append(ids)
    return found
