"""What X must look like: learned in `fit`, required afterwards."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._core.sequences import Sequences
from skrnn._messages import these_hold
from skrnn._reading.containers import open_container
from skrnn._reading.kinds import INTEGERS, KIND_NAMES
from skrnn._reading.lists import read_opened
from skrnn._reading.numbers import are_flat
from skrnn._reading.options import ReadingOptions
from skrnn._reading.text import are_sentences
from skrnn._warnings import warn

KIND_OF_ANALYZER = {
    "char": "text",
    "word": "words",
    "token": "tokens",
    "series": "series",
}
# The attributes of an estimator from which `Schema` is rebuilt.
ATTRIBUTES = ("kind_", "n_features_in_", "feature_names_in_", "_reading")


class NoStepsError(ValueError):
    """Raised where nothing shows what sequences are like, since all are empty."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The properties of X in `fit`, which X must have afterwards.

    Attributes
    ----------
    estimator_name : str
        The class of the estimator, for messages.
    options : ReadingOptions
    kind : {"text", "words", "tokens", "series"} or None
        What a sequence is; see Sequences. None before `fit`.
    columns : list or None
        Names of the features, if X was a list of frames with named columns.
    shortest : int
        The minimum number of steps of a sequence.
    n_steps : int or None
        The number of steps, if X held univariate series of equal length.
    n_features : int or None
        The number of features per step, if X held numbers.
    has_integers : bool
        Whether X held token lists, some of integers.
    is_target : bool
        Whether the sequences are those of y, to be predicted one step after the other.
        Series may then be empty, and tables of any width.
    is_flat : bool
        Whether such series were one-dimensional.
    """

    estimator_name: str
    options: ReadingOptions
    kind: str | None = None
    columns: list | None = None
    shortest: int = 1
    n_steps: int | None = None
    n_features: int | None = None
    has_integers: bool = False
    is_target: bool = False
    is_flat: bool = False

    @classmethod
    def from_attributes(cls, estimator_name, attributes):
        """The schema of a fitted estimator, from its attributes."""
        reading = attributes["_reading"]
        is_target = are_targets(attributes)
        mean = attributes.get("target_mean_" if is_target else "mean_")
        return cls(
            estimator_name,
            ReadingOptions.of(reading),
            attributes["kind_"],
            reading.get("columns"),
            reading["shortest"],
            None if is_target else attributes.get("n_features_in_"),
            None if mean is None else len(mean),
            _are_integers(attributes.get("vocabulary_")),
            is_target,
            attributes.get("_is_one_output", False),
        )

    def attributes(self):
        """The attributes that an estimator keeps of the schema."""
        reading = self.options.kept()
        reading |= {"columns": self.columns, "shortest": self.shortest}
        attributes = {"kind_": self.kind, "_reading": reading}
        if self.n_steps is not None:
            attributes["n_features_in_"] = self.n_steps
        if self.is_target and self.kind == "series":
            attributes["_is_one_output"] = self.is_flat
        return attributes

    def learn(self, X, read_table, has_y=True):
        """Read the X of `fit`.

        Parameters
        ----------
        X : list, tuple, array, tensor, Series or frame
            As in :func:`skrnn._reading.containers.open_container`. A two-dimensional
            numeric array or frame is a table of univariate series, one row per series.
            All other containers may be ragged.
        read_table : callable
            scikit-learn's ``validate_data``, bound to an estimator: it checks the width
            of tables and the names of their columns.
        has_y : bool, default=True
            Whether y is predicted, rather than the next step, which is a character
            unless `analyzer` says otherwise: few words occur often enough.

        Returns
        -------
        schema : Schema
        sequences : Sequences

        Raises
        ------
        TypeError
            If X is not a container of sequences.
        ValueError
            If X is a single string, is empty, or holds a sequence that cannot be used.
        """
        opened, columns = self._open(X)
        as_words = has_y and self._is_of_words(opened)
        likely = replace(self, kind="words" if as_words else None)
        sequences = likely._read_opened(opened, read_table, X)
        if len(sequences.values) == 0:
            raise NoStepsError(
                "X has no steps: all its sequences are empty, so there is nothing to "
                "learn from. At least one with steps is needed."
            )
        schema = replace(
            self,
            kind=sequences.kind,
            columns=columns,
            shortest=int(sequences.lengths.min()),
        )
        if sequences.kind == "series":
            n_features = sequences.values.shape[1]
            schema = replace(schema, n_features=n_features, is_flat=are_flat(opened))
        elif sequences.kind == "tokens":
            has_integers = any(isinstance(t, INTEGERS) for t in sequences.tokens)
            schema = replace(schema, has_integers=has_integers)
        if _is_rectangular(sequences) and not self.is_target:
            schema = replace(schema, n_steps=int(sequences.lengths[0]))
        return schema, self._of_allowed_length(sequences)

    def read(self, X, read_table):
        """Read an X after `fit`, and check that it is like the X of `fit`.

        Parameters and errors are those of :meth:`learn`; in addition, a TypeError is
        raised if X holds sequences of a different kind than in `fit`.

        Returns
        -------
        sequences : Sequences
        """
        opened, _ = self._open(X)
        if self.kind == "series":
            self._check_axes(opened)
        sequences = self._read_opened(opened, read_table, X)
        if self.is_target and self.kind == "series" and not len(sequences.values):
            nothing = np.empty((0, self.n_features))  # of whatever kind
            sequences = Sequences("series", nothing, sequences.offsets)
        self._check_same_kind(sequences)
        return self._of_allowed_length(sequences)

    def with_lengths(self, shortest, longest):
        """This schema for more sequences than it has been learned from.

        Parameters
        ----------
        shortest, longest : int
            The least and the largest number of steps of any of them.
        """
        n_steps = self.n_steps if shortest == longest else None
        if self.options.max_length == shortest:  # they may have been longer
            shortest = self.shortest
        return replace(self, shortest=min(shortest, self.shortest), n_steps=n_steps)

    def of_any_length(self):
        """This schema for sequences that `max_length` does not concern."""
        return replace(self, options=replace(self.options, max_length=None))

    @property
    def _wanted(self):
        """The kind that `analyzer` names, or None."""
        analyzer = self.options.analyzer
        return KIND_OF_ANALYZER.get(analyzer) if isinstance(analyzer, str) else None

    def _open(self, X):
        """The sequences in X, and the columns of frames; see `open_container`."""
        analyzer = self.options.analyzer
        wanted = None if callable(analyzer) else self._wanted or self.kind
        options = {
            "columns": self.columns,
            "allow_masked": self.options.missing == "mask",
        }
        wanted = "text" if wanted == "words" else wanted
        opened, columns = open_container(X, wanted, **options)
        if callable(analyzer):
            items = X if isinstance(X, (list, tuple)) else opened
            return open_container(_analyzed(analyzer, items), **options)
        return opened, columns

    def _read_opened(self, opened, read_table, X):
        given = None if callable(self.options.analyzer) else X
        return read_opened(
            opened,
            self._wanted,
            self.kind,
            self.options,
            read_table,
            given,
            allow_empty=self.is_target,
        )

    def _is_of_words(self, opened):
        """Whether X holds sentences, and nothing says that they are not read so."""
        options = self.options
        if options.vocabulary is not None or options.embeddings is not None:
            return False
        return isinstance(opened, (list, tuple)) and are_sentences(opened)

    def _of_allowed_length(self, sequences):
        """The sequences, where too long ones are cut or raise an error."""
        max_length, overlong = self.options.max_length, self.options.overlong
        if max_length is None or sequences.lengths.max() <= max_length:
            _warn_of_missing_series(sequences)
            return sequences
        if overlong not in ("error", None):
            cut = sequences.cut(max_length, overlong)
            _warn_of_missing_series(cut)
            return cut
        i = int(np.argmax(sequences.lengths > max_length))
        cure = "Use overlong='first' or overlong='last' to keep only that many steps."
        if overlong is None:  # each step has a target
            cure = "Cut it and its y into shorter ones, or increase max_length."
        raise ValueError(
            f"X[{i}] has {sequences.lengths[i]} steps, but max_length is {max_length}. "
            f"{cure}"
        )

    def _check_same_kind(self, sequences):
        name = self.estimator_name
        if sequences.kind != self.kind:
            cure = "Pass sequences of that kind."
            if (sequences.kind, self.kind) == ("text", "tokens"):
                cure += " Use [X] if X is one token list."
            what = KIND_NAMES[self.kind]
            if sequences.kind == "series" and self.has_integers:
                what += " of integers"
                cure += " If these were measurements, use analyzer='series' in fit, "
                cure += "which reads integers as numbers, too."
            raise TypeError(
                f"X holds {KIND_NAMES[sequences.kind]}, but {name} was fitted on "
                f"{what}. {cure}"
            )
        if sequences.kind == "series":
            n_features, expected = sequences.values.shape[1], self.n_features
            if n_features != expected:
                is_one = n_features == 1 and (sequences.lengths == expected).all()
                raise ValueError(self._other_features(n_features, is_one))

    def _check_axes(self, opened):
        """Raise for arrays whose features are not on the last axis.

        Other errors are raised later, when the arrays are read.
        """
        expected = self.n_features
        if isinstance(opened, (list, tuple)):
            shapes, cure = (
                [getattr(item, "shape", ()) for item in opened],
                "[x.T for x in X]",
            )
        elif len(opened.shape) == 3:
            shapes, cure = [opened.shape[1:]], "X.transpose(0, 2, 1)"
        else:
            if not self.is_target:
                self._check_not_a_column(opened)
            # Also for a frame, before scikit-learn complains about its column names.
            if opened.shape[1] == expected > 1 and opened.shape[0] > 0:
                raise ValueError(self._other_features(1, is_one=True))
            return
        others = [
            shape[1] for shape in shapes if len(shape) == 2 and shape[1] != expected
        ]
        if others and all(len(shape) == 2 and shape[0] == expected for shape in shapes):
            raise ValueError(
                f"{self._other_features(others[0])} If they come before the steps, "
                f"use {cure}."
            )

    def _check_not_a_column(self, table):
        """Raise for a single series as a column, a table of series of one step."""
        shortest = self.shortest
        if not (table.shape[0] > 1 == table.shape[1] and shortest > 1):
            return
        what = f"X has shape {table.shape}: series of one step, but the shortest in "
        what += f"fit had {shortest}."
        if self.n_steps is not None:  # the message of scikit-learn
            what = (
                f"X has 1 features, but {self.estimator_name} is expecting "
                f"{self.n_steps} features as input."
            )
        raise ValueError(
            f"{what} Use [X] to pass one sequence, or list(X) if each row is one."
        )

    def _other_features(self, n_features, is_one=False):
        """The sentence for a different number of features than in fit."""
        plural = "" if n_features == 1 else "s"
        cure = (
            "Use [X] to pass one sequence."
            if is_one
            else "Pass the same features as in fit."
        )
        return (
            f"X has {n_features} feature{plural} at each step, but "
            f"{self.estimator_name} was fitted with {self.n_features}. {cure}"
        )


def are_targets(attributes):
    """Whether a fit has learned to predict sequences from vectors."""
    return "max_length_" in attributes


def _warn_of_missing_series(sequences):
    """Warn of series that hold nothing but NaN."""
    if sequences.kind != "series":
        return
    is_missing_step = np.isnan(sequences.values).all(axis=1)
    if not is_missing_step.any():
        return
    starts = sequences.offsets[:-1]
    missing = np.flatnonzero(np.logical_and.reduceat(is_missing_step, starts))
    if len(missing):
        warn(
            f"{these_hold(missing, len(sequences))} nothing but missing values: only "
            "their lengths are known to the network. Drop them.",
            UserWarning,
        )


def _are_integers(vocabulary):
    """Whether the first token is an integer: these come before strings."""
    first = next(iter(vocabulary or ()), None)
    first = first[0] if isinstance(first, tuple) else first
    return isinstance(first, INTEGERS)


def _analyzed(analyzer, X):
    """The output of a user's analyzer for each sequence."""
    results = []
    for i, item in enumerate(X if isinstance(X, (list, tuple)) else np.asarray(X)):
        try:
            results.append(analyzer(item))
        except Exception as error:
            error.add_note(f"analyzer raised this for X[{i}].")
            raise
    return results


def _is_rectangular(sequences):
    """Whether the sequences could have been passed as a table of numbers."""
    return (
        sequences.kind == "series"
        and sequences.values.shape[1] == 1
        and (sequences.lengths == sequences.lengths[0]).all()
    )
