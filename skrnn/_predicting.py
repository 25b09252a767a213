"""What fitted estimators share: how they read an X, and compute states and scores."""

from functools import partial

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from skrnn._core.sequences import rows_of
from skrnn._model import Model, check_finite
from skrnn._reading.reader import read_more
from skrnn._reading.schema import Schema
from skrnn._reading.text import each_once
from skrnn._stages import staged_scores
from skrnn._warnings import said_once


class PredictingMixin:
    """A mixin for BaseRNN, which has the fitted attributes."""

    def _model_and_steps(self, X):
        """The fitted model, and X as its reader reads it: see below."""
        (model, *_), (steps, *_), once = self._models_and_steps(X)
        return model, steps, once

    def _models_and_steps(self, X):
        """All models that predict together, and X as the reader of each reads it.

        Returns
        -------
        models : list of Model
        steps : list of Steps
            Those of each distinct string; if X does not hold strings, of all sequences.
        once : EachOnce
            Which of them belong to which sequence of X.
        """
        model, options, once = self._model_and_sequences(X)
        models = [model, *(other._model_and_schema()[0] for other in self._others)]
        steps = []
        with said_once():
            for model in models:
                read = read_more(model.reader, options, once.sequences, once.positions)
                steps.append(model.head.begun(read))
        return models, steps, once

    def _model_and_sequences(self, X):
        """The fitted model, how X is read, and the sequences of X, each string once."""
        fitted = self._at_this_moment()
        check_is_fitted(fitted)
        attributes = vars(fitted)
        expected = Schema.from_attributes(type(self).__name__, attributes)
        once = each_once(expected.read(X, table_reader(fitted)))
        model = Model.from_attributes(attributes, self._head_of(attributes))
        return model, expected.options, once

    def _model_and_schema(self):
        """The fitted model, and what any X must be like, as they are now."""
        fitted = self._at_this_moment()
        check_is_fitted(fitted)
        attributes = vars(fitted)
        expected = Schema.from_attributes(type(self).__name__, attributes)
        return Model.from_attributes(attributes, self._head_of(attributes)), expected

    def _model_and_states(self, X):
        """The fitted model, and the pooled hidden states of each sequence.

        Returns
        -------
        model : Model
        h : ndarray of shape (n_samples, n_features_out)
        """
        model, steps, once = self._model_and_steps(X)
        h = model.states(steps)
        check_finite(h, once.positions)
        return model, h[once.places]

    def _together_with(self, others):
        """A copy that predicts together with others, by the mean of probabilities.

        They have learned from the same data.
        """
        copy = self._at_this_moment()
        copy._others = tuple(others)
        return copy

    def _head_and_scores(self, X):
        """The fitted head, and the scores, of shape (n_samples, n_outputs)."""
        models, steps, once = self._models_and_steps(X)
        scores = []
        for model, own in zip(models, steps, strict=True):
            h = model.states(own)
            check_finite(h, once.positions)
            scores.append(model.scores(h, own)[once.places])
        return _as_one([model.head for model in models], scores)

    def _staged_scores(self, X):
        """Yield the fitted head and the scores of what is read at each stage."""
        model, _, once = self._model_and_sequences(X)
        for scores in staged_scores(model, once.sequences, once.positions):
            yield model.head, scores[once.places]

    def _head_and_scores_of_steps(self, X):
        """The fitted head, the scores of all steps, and where each sequence begins.

        Returns
        -------
        head : Head
        scores : ndarray of shape (n_rows, n_outputs)
        offsets : ndarray of shape (n_samples + 1,)
        """
        models, steps, once = self._models_and_steps(X)
        offsets, lengths = steps[0].offsets, steps[0].lengths
        positions = np.arange(len(lengths))
        rows = slice(None)
        if once.positions is not None:
            positions = once.positions
            rows, offsets = rows_of(offsets, once.places)
        positions, scores = np.repeat(positions, lengths), []
        for model, own in zip(models, steps, strict=True):
            of_steps = model.scores_of_steps(own)
            check_finite(of_steps, positions)
            scores.append(of_steps[rows])
        return *_as_one([model.head for model in models], scores, offsets), offsets


def table_reader(owner, reset=False):
    """scikit-learn's validation of tables for the estimator that owns them."""
    return partial(validate_data, owner, reset=reset)


def _as_one(heads, scores, offsets=None):
    """The head and the scores of one model, or those of several together."""
    if len(heads) == 1:
        return heads[0], scores[0]
    return heads[0].together(heads, scores, offsets)
