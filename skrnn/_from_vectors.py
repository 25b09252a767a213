"""What an estimator does whose X has a vector for each sequence in y."""

from collections.abc import Iterable

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from skrnn._base import fitted_names
from skrnn._core.group import current_group
from skrnn._core.samples import Samples
from skrnn._gathering import gather_samples
from skrnn._heads.density import DensityHead
from skrnn._heads.language import LanguageHead
from skrnn._heads.validation import validate_targets
from skrnn._model import Model
from skrnn._outputs import check_not_missing, learn_outputs, read_outputs
from skrnn._predictors import SeriesPredictor, TokenPredictor
from skrnn._reading.schema import Schema
from skrnn._reading.vectors import VectorReader, context_of
from skrnn._warnings import about_validation_data


class FromVectors:
    """A mixin, which stands before BaseRNN: reads X and y, in `fit` and after it."""

    def _predictor(self, X):
        """What predicts for X, by all with which this estimator predicts."""
        fitted = self._at_this_moment()
        check_is_fitted(fitted)
        fitted._validate_params()  # they may have been set since the fit
        context = context_of(fitted._matrix(X, reset=False))
        members = [each._model_and_context(context) for each in (fitted, *self._others)]
        models, contexts = zip(*members, strict=True)
        schema = Schema.from_attributes(type(self).__name__, vars(fitted))
        common = {"schema": schema, "models": models, "contexts": contexts}
        common["max_length"] = fitted.max_length_
        if schema.kind == "series":
            fitted._check_no_search()
            n_steps = getattr(fitted, "n_steps_", None)
            is_flat = fitted._is_one_output
            return SeriesPredictor(**common, is_flat=is_flat, n_steps=n_steps)
        return TokenPredictor(
            **common,
            beam_width=fitted.beam_width,
            length_penalty=fitted.length_penalty,
        )

    def _model_and_context(self, context):
        """The fitted model, and vectors as it reads them."""
        attributes = vars(self._at_this_moment())
        model = Model.from_attributes(attributes, self._head_of(attributes))
        return model, VectorReader.from_attributes(attributes).read(context)

    def _check_no_search(self):
        """Raise for parameters of a search, if y holds numbers."""
        for name, plain in (("beam_width", 1), ("length_penalty", 0.0)):
            value = getattr(self, name)
            if value != plain:
                raise ValueError(
                    f"{name}={value!r} needs tokens, but y holds series of numbers, "
                    "which are predicted without a search. Use "
                    f"{name}={plain}."
                )

    def _read(self, X, y, settings, last):
        # scikit-learn's validation sets attributes: on a copy, not on this estimator.
        other = self._at_this_moment(without=() if last else fitted_names())
        check_not_missing(y, settings.estimator_name)
        X = other._matrix(X, reset=last is None)
        if last is not None:
            expected, sequences = last.schema, read_outputs(last.schema, y, X.shape[0])
        else:
            name = settings.estimator_name
            before = Schema(name, settings.reading, is_target=True)
            expected, sequences = learn_outputs(before, y, X.shape[0])
        kept = expected.attributes()
        if sequences.kind == "series":
            self._check_no_search()
            if n_steps := _length_of_all(sequences.lengths, last):
                kept["n_steps_"] = n_steps
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(other, name):
                kept[name] = getattr(other, name)
        longest = 2 * int(sequences.lengths.max())
        if last is not None:
            longest = max(longest, last.attributes["max_length_"])
        given = settings["max_length"]
        kept["max_length_"] = longest if given is None else int(given)
        return kept, expected, sequences, context_of(X)

    def _matrix(self, X, reset):
        """X as a matrix of finite numbers, dense or CSR, as scikit-learn reads it."""
        dtype = [np.float64, np.float32]
        try:
            return validate_data(self, X, accept_sparse="csr", dtype=dtype, reset=reset)
        except (TypeError, ValueError) as error:
            if _holds_sequences(X):
                raise type(error)(
                    f"X holds sequences, but {type(self).__name__} reads vectors: a "
                    "matrix of numbers was expected. Use RNNSeq2Seq for sequences, or "
                    "turn them into vectors by an RNNEncoder."
                ) from error
            raise

    def _validated(self, y, sample_weight, sequences, head=None):
        # y holds the sequences, and the next steps of these are the targets.
        return validate_targets(
            None,
            sample_weight,
            sequences.lengths,
            type(self).__name__,
            are_numbers=False,
            is_required=False,
        )

    def _read_validation(self, validation, kept, expected, head):
        fitted = self._at_this_moment(without=fitted_names())
        vars(fitted).update(kept)
        with about_validation_data():
            X = fitted._matrix(validation.X, reset=False)
            sequences = read_outputs(expected, validation.y, X.shape[0])
            _, weight = self._validated(None, validation.sample_weight, sequences)
            sequences, _, weight, context = gather_samples(
                current_group(), sequences, None, weight, context_of(X)
            )
        positions = np.arange(len(sequences))
        return Samples(sequences, None, weight, positions, context=context)

    def _parameters(self):
        return {**super()._parameters(), "learn_end": True}

    def _head_of(self, attributes):
        n_outputs = len(attributes["V_"])
        if attributes["kind_"] == "series":
            return DensityHead(_n_outputs=n_outputs)
        return LanguageHead(_n_outputs=n_outputs, learns_end=True)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.three_d_array = False
        tags.input_tags.sparse = True
        return tags


def _holds_sequences(X):
    """Whether X holds strings, lists of strings, or lists of several lengths."""
    if getattr(X, "ndim", 1) != 1 or not isinstance(X, Iterable):
        return False
    items = list(X)
    if all(isinstance(item, (list, tuple, np.ndarray)) for item in items):
        are_strings = all(isinstance(entry, str) for item in items for entry in item)
        return are_strings or len({*map(len, items)}) > 1
    return not isinstance(X, str) and any(isinstance(item, str) for item in items)


def _length_of_all(lengths, last):
    """The number of steps that all series have, so far; 0 if they differ or are few."""
    n_steps = int(lengths[0])
    if last is not None:
        are_alike = last.attributes.get("n_steps_") == n_steps
    else:
        are_alike = len(lengths) > 1
    return n_steps if are_alike and (lengths == n_steps).all() else 0
