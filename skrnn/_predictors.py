"""What RNNDecoder predicts: tokens by a beam search, numbers by their density."""

from dataclasses import dataclass
from itertools import chain

import numpy as np

from skrnn._core import density
from skrnn._core.beam import mean_log_p
from skrnn._core.series import standardise
from skrnn._core.vocabulary import END, UNKNOWN
from skrnn._heads.validation import weight_of
from skrnn._model import VECTORS_AT_ONCE, check_finite, some_at_a_time, written_together
from skrnn._outputs import (
    joined,
    read_outputs,
    tokens_of,
    warn_of_cut,
    warn_of_no_end,
    warn_of_unknown,
    with_log_p,
    written,
)
from skrnn._reading.schema import Schema
from skrnn._reading.tokens import TokenReader
from skrnn._stream import Draws, Stream
from skrnn._warnings import about_sequences_in_y


@dataclass(frozen=True, slots=True)
class Predictor:
    """Predicts sequences from vectors, by one network or by several together.

    Attributes
    ----------
    schema : Schema
        What given sequences must be like.
    models : tuple of Model
        Networks that have learned from the same data.
    contexts : tuple of Context
        The vectors as each of them reads them.
    max_length : int
        The largest number of steps of a sequence.
    """

    schema: Schema
    models: tuple
    contexts: tuple
    max_length: int

    def __len__(self):
        return len(self.contexts[0])

    def score_samples(self, y):
        """The logarithms of the probabilities, or densities, of given sequences."""
        return self._log_p(self._read(y))

    @property
    def _cure_of_cut(self):
        """What to do about predictions that do not end."""
        if self.schema.options.max_length is None:  # twice what was seen is enough
            return "Fit for longer, by a larger max_iter."
        return "Fit again, with a larger max_length or for longer."

    def _read(self, y):
        """Sequences that a user has given."""
        return read_outputs(self.schema, y, len(self))

    def _log_p(self, sequences):
        log_p = mean_log_p(
            [
                self._log_p_of_steps(model, context, sequences)
                for model, context in zip(self.models, self.contexts, strict=True)
            ]
        )
        # A sequence has at least one step, the start.
        starts = sequences.offsets[:-1] + np.arange(len(sequences))
        log_p = np.add.reduceat(log_p, starts)
        check_finite(np.where(np.isneginf(log_p), 0, log_p)[:, np.newaxis])
        return log_p

    def _log_p_of_steps(self, model, context, sequences):
        """Those of all steps and ends, by one network."""
        begun = model.head.begun(_encoded(model.reader, sequences))
        target, is_known, is_end = model.head.next_steps(begun)
        log_p = -model.losses_of_steps(begun, target, context)
        log_p[is_known] -= self._log_unit(model)
        log_p[~(is_known | is_end)] = -np.inf
        return log_p


@dataclass(frozen=True, slots=True)
class TokenPredictor(Predictor):
    """Predicts sequences of tokens.

    Attributes
    ----------
    beam_width, length_penalty : int and float
        As in :func:`skrnn._core.beam.beam_search`.
    """

    beam_width: int = 1
    length_penalty: float = 0.0

    def predict(self):
        """The likeliest sequences."""
        reader, found = self._search()
        return [best for (best,) in written(reader, found)]

    def predict_n_best(self, n_best):
        """The likeliest sequences with the logarithms of their probabilities."""
        reader, found = self._search(n_best)
        return with_log_p(written(reader, found), found.log_p)

    def score_samples(self, y):
        """The logarithms of the probabilities of given sequences."""
        sequences = self._read(y)
        reader, _ = _in_common(self.models)
        is_unknown = _encoded(reader, sequences).values == UNKNOWN
        warn_of_unknown(sequences, is_unknown, "vocabulary_")
        return self._log_p(sequences)

    def score(self, y, sample_weight):
        """The share of predictions that are exactly right."""
        sequences = self._read(y)
        weight = weight_of(sample_weight, sequences.lengths)
        reader, found = self._search()
        true = _encoded(reader, sequences)
        are_right = found.are_equal(true.values, true.offsets)
        return float(np.average(are_right, weights=weight))

    def sample(self, random_state, temperature, top_k, top_p):
        """Draw sequences at random, by the first network."""
        model, context = self.models[0], self.contexts[0]
        stream = Stream(model, len(context), context)
        draws = Draws(temperature, top_k, top_p, self.max_length, [])
        drawn = [[] for _ in range(len(context))]
        token_of = tokens_of(model.reader, model.head.n_outputs)
        for rows, ids, _ in draws.of(stream, random_state):
            for row, i in zip(rows, ids.tolist(), strict=True):
                drawn[row].append(token_of[i])
        return [joined(model.reader.kind, tokens) for tokens in drawn]

    def _search(self, n_best=1):
        """Search for the likeliest sequences; warn if they have no end.

        Returns
        -------
        reader : TokenReader
            That knows the tokens that were found.
        found : Hypotheses
        """
        reader, ids = _in_common(self.models)
        found = written_together(
            self.models,
            self.contexts,
            self.max_length,
            ids,
            width=max(self.beam_width, n_best),
            n_best=n_best,
            length_penalty=self.length_penalty,
        )
        warn_of_cut(found, self.max_length, self._cure_of_cut)
        return reader, found

    def _log_unit(self, model):
        """Probabilities have no unit."""
        return 0.0


@dataclass(frozen=True, slots=True)
class SeriesPredictor(Predictor):
    """Predicts series of numbers.

    Attributes
    ----------
    is_flat : bool
        Whether series are one-dimensional.
    n_steps : int or None
        The number of steps of each series, if it is known.
    """

    is_flat: bool
    n_steps: int | None

    def predict(self):
        """The series of the means."""
        series, has_end = self._written()
        warn_of_no_end(~has_end, self.max_length, self._cure_of_cut, what="step")
        return series

    def predict_n_best(self, n_best):
        """Raise, as there are no likeliest ones among infinitely many series."""
        whose = " of one of estimators_" if len(self.models) > 1 else ""
        raise ValueError(
            "predict_n_best needs tokens, but the y of fit held series of numbers, of "
            f"which there are infinitely many. Use sample{whose} to draw some of them."
        )

    def score(self, y, sample_weight):
        """The mean logarithm of the density of a step."""
        sequences = self._read(y)
        weight = weight_of(sample_weight, sequences.lengths)
        n_steps = weight @ (sequences.lengths + 1)
        return float(weight @ self._log_p(sequences) / n_steps)

    def sample(self, random_state, temperature, top_k, top_p):
        """Draw series at random."""
        if top_k is not None or top_p is not None:
            raise ValueError(
                "top_k and top_p need tokens, but the y of fit held series of numbers. "
                "Use temperature for likelier ones."
            )
        return self._written(temperature, random_state)[0]

    def _written(self, temperature=0.0, random_state=None):
        """Write series, and tell which of them have ended.

        Returns
        -------
        series : list of ndarrays
        has_end : ndarray of shape (n_samples,), bool
        """
        series, has_end = [], np.zeros(len(self), bool)
        for some in some_at_a_time(len(self), VECTORS_AT_ONCE):
            rows, values = [], []
            for now, y, is_end in self._steps(some, temperature, random_state):
                has_end[some[now[is_end]]] = True
                rows.append(now[~is_end])
                values.append(y[~is_end])
            rows, values = np.concatenate(rows), np.concatenate(values)
            order = np.argsort(rows, kind="stable")  # one series after the other
            cuts = np.cumsum(np.bincount(rows, minlength=len(some)))[:-1]
            series += np.split(values[order], cuts)
        return [y[:, 0] if self.is_flat else y for y in series], has_end

    def _steps(self, some, temperature, random_state):
        """Write a step of all series that have not ended, until they all have.

        Yields
        ------
        rows : ndarray of shape (n,)
            Which of the series these are.
        y : ndarray of shape (n, n_numbers)
        is_end : ndarray of shape (n,), bool
            Whether a series has ended instead.
        """
        following = [
            _Following(model, context, some)
            for model, context in zip(self.models, self.contexts, strict=True)
        ]
        densities = [each.begin() for each in following]
        rows, noise = np.arange(len(some)), np.zeros((len(some), 1 + self._n_numbers))
        for n_written in range(self.max_length + 1):
            if random_state is not None:  # for all series, whichever have ended
                noise[:, 0] = random_state.logistic(size=len(some))
                noise[:, 1:] = random_state.standard_normal(noise[:, 1:].shape)
            together = density.mixed(densities)
            is_end, y = density.draw(*together, temperature, noise[rows])
            if self.n_steps is not None:
                is_end = np.full(len(rows), n_written == self.n_steps)
            if n_written == self.max_length:  # no more steps
                rows, y, is_end = rows[is_end], y[is_end], is_end[is_end]
            yield rows, y, is_end
            rows, y = rows[~is_end], y[~is_end]
            if not len(rows):
                return
            densities = [each.step(y, ~is_end) for each in following]

    @property
    def _n_numbers(self):
        return len(self.models[0].reader.mean)

    def _log_unit(self, model):
        """The density is that in the units of y, rather than of standardised numbers.

        Its logarithm differs by this at each step.
        """
        return np.log(model.reader.scale).sum()


class _Following:
    """What one network expects to follow, of series that are read side by side.

    Parameters
    ----------
    model : Model
    context : Context
    some : ndarray of int
        Which of the vectors it writes for.
    """

    def __init__(self, model, context, some):
        self._reader, self._some = model.reader, some
        self._steps = model.step_by_step(len(some), context=context.take(some))

    def begin(self):
        """As :meth:`step`, of the first step."""
        start = np.zeros((len(self._some), len(self._reader.mean) + 1), np.float32)
        start[:, -1] = 1
        return self._read(start)

    def step(self, y, goes_on):
        """The density of the next step, given one more.

        Parameters
        ----------
        y : ndarray of shape (n, n_numbers)
            The step of the series that go on.
        goes_on : ndarray of bool
            Which of those before they are.

        Returns
        -------
        end, mean, sd : ndarrays
            As :func:`skrnn._core.density.draw` takes them, in the units of y.
        """
        if not goes_on.all():
            self._steps.take(goes_on)
        x = standardise(y, self._reader.mean, self._reader.scale)
        return self._read(np.pad(x, [(0, 0), (0, 1)]))

    def _read(self, x):
        self._steps.read(x)
        scores = self._steps.scores()
        check_finite(scores, self._some[self._steps.sequences])
        end, mean, log_variance = density.split(scores)
        sd = self._reader.scale * np.exp(log_variance / 2)
        return end, self._reader.numbers(mean), sd


def _encoded(reader, sequences):
    with about_sequences_in_y():
        return reader.encode(sequences)


def _in_common(models):
    """A reader of the tokens that any of some models writes.

    Models that have held out parts of the same data may have learned other tokens.

    Returns
    -------
    reader : TokenReader
    ids : list of ndarrays of shape (n_outputs,), or None
        The ids there of the outputs of each model; None if all have the same.
    """
    reader = models[0].reader
    if all(model.reader.vocabulary == reader.vocabulary for model in models):
        return reader, None
    tokens = [tokens_of(model.reader, model.head.n_outputs) for model in models]
    known = dict.fromkeys(chain.from_iterable(each.values() for each in tokens))
    known = {token: i for i, token in enumerate(known, start=1)}
    ids = [
        np.array([END, *(known[own[i]] for i in range(1, len(own) + 1))])
        for own in tokens
    ]
    return TokenReader(reader.kind, known), ids
