"""What the estimators share: parameters, the template of fit, fitted attributes.

This is the only module that sets attributes of a network. It sets all of them in one
step at the end of a fit, so that another thread that reads them meanwhile sees the
complete last fit.
"""

from dataclasses import KW_ONLY, fields, replace
from functools import cache
from typing import Literal

import numpy as np
from sklearn.base import BaseEstimator

from skrnn import _state
from skrnn._attributes import CHANGED, check_attributes
from skrnn._callbacks import CallbackSupportMixin, FitTask
from skrnn._chunked_dataset import ChunkedDataset
from skrnn._chunks import Chunks, check_whole
from skrnn._continuing import LastFit
from skrnn._core import public
from skrnn._core.cells import ActivationName, CellName, RecurrenceName
from skrnn._core.execution import find_device
from skrnn._core.group import current_group
from skrnn._core.pooling import PoolingName
from skrnn._core.samples import Samples
from skrnn._epochs import EpochsInMemory, read_chunks
from skrnn._fitting import fit
from skrnn._gathering import check_agreement, gather_samples, gather_schemas
from skrnn._heads import task as tasks
from skrnn._heads.chunks import head_of_chunk
from skrnn._heads.class_weight import weigh_classes
from skrnn._heads.later import later_targets
from skrnn._heads.task import head_of, learn_head
from skrnn._heads.validation import validate_targets
from skrnn._messages import describe
from skrnn._model import Model
from skrnn._parameters import Settings
from skrnn._predicting import PredictingMixin, table_reader
from skrnn._reading import reader, schema, vectors
from skrnn._reading.schema import Schema
from skrnn._reading.text import TOKEN_PATTERN
from skrnn._types import (
    Count,
    CountOrShare,
    CountOrZero,
    Counts,
    Folder,
    Fraction,
    Function,
    KernelSizes,
    NonNegative,
    Pair,
    Positive,
    Probability,
    RandomState,
    Rate,
    TextFunction,
    Tokens,
    Vectors,
    Verbosity,
    takes_parameters,
)
from skrnn._warnings import about_validation_data

# What scikit-learn's callbacks set during a fit.
_OF_THE_MOMENT = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")


@cache
def fitted_names():
    """All attributes that a fit may set; any others belong to subclasses or users."""
    return (
        *(*schema.ATTRIBUTES, *reader.ATTRIBUTES, *tasks.ATTRIBUTES),
        *vectors.ATTRIBUTES,
        *(*public.all_names(), "wide_coef_", "encoder_"),
        *("loss_", "best_loss_", "loss_curve_", "n_iter_"),
        *("validation_scores_", "validation_loss_curve_", "best_validation_score_"),
        *("_architecture", "_training", "learns_end_", "max_length_"),
        "n_steps_",
        *("output_kind_", "output_vocabulary_", "longest_output_"),
        "n_frames_per_step_",
    )


@takes_parameters
class BaseRNN(CallbackSupportMixin, PredictingMixin, BaseEstimator):
    """Base class of all estimators; not to be used directly."""

    nhidden: Count | Counts = 128
    _: KW_ONLY
    cell: CellName = "gru"
    activation: ActivationName = "tanh"
    recurrence: RecurrenceName = "learned"
    bidirectional: Literal["auto"] | bool = "auto"
    pooling: Literal["auto"] | PoolingName = "auto"
    analyzer: Literal["auto", "char", "word", "token", "series"] | Function = "auto"
    lowercase: bool = False
    strip_accents: Literal["ascii", "unicode"] | TextFunction | None = None
    token_pattern: str = TOKEN_PATTERN
    ngram_range: Literal["auto"] | Pair = "auto"
    subwords: Literal["auto"] | bool = "auto"
    min_df: CountOrShare = 1
    max_features: Count | None = None
    vocabulary: Tokens | None = None
    embeddings: Vectors | None = None
    freeze_embeddings: bool = False
    standardize: Literal["auto", "series"] | bool = "auto"
    differences: CountOrZero = 1
    patch_length: Literal["auto"] | Count = "auto"
    kernel_sizes: Literal["auto"] | KernelSizes | None = "auto"
    missing: Literal["error", "mask"] = "error"
    max_length: Count | None = None
    overlong: Literal["error", "first", "last"] = "error"
    token_dropout: Literal["auto"] | Probability = "auto"
    dropout: Literal["auto"] | Probability = "auto"
    truncate: Count | None = None
    learning_rate_init: Rate = 0.005
    batch_size: Literal["auto"] | Count = "auto"
    max_iter: Literal["auto"] | Count = "auto"
    alpha: NonNegative = 0.3
    max_grad_norm: Positive | None = 1.0
    early_stopping: bool = False
    validation_fraction: Fraction = 0.1
    tol: NonNegative = 1e-4
    n_iter_no_change: Count = 10
    warm_start: bool = False
    device: str = "cpu"
    random_state: RandomState = None
    checkpoint: Folder | None = None
    checkpoint_interval: Count = 1
    verbose: Verbosity = 0

    # What a subclass says about y.
    _head = None  # the class of its head; None to choose it by y
    _y_is_required = True
    _needs_classes = False  # whether the first `partial_fit` needs `classes`
    _tasks = ()  # what it may predict
    _says_of_y = ""  # the attribute that it keeps of y, in addition to its head's
    _reads_chunks = False  # whether `fit` takes a ChunkedDataset
    _others = ()  # in an ensemble, those with which this one predicts together

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # two_d_array stays True and one_d_array False: with any other value
        # scikit-learn's common tests would not run.
        tags.input_tags.string = True
        tags.input_tags.allow_nan = self.missing == "mask"
        tags.input_tags.three_d_array = True
        tags.target_tags.required = self._y_is_required
        return tags

    def __getstate__(self):
        # A copy: another thread may be fitting this estimator.
        state = _state.stamped(dict(super().__getstate__()))
        for name in _OF_THE_MOMENT:
            state.pop(name, None)
        return state

    def __setstate__(self, state):
        state = _state.checked(state, type(self).__name__)
        self._check_names(state.keys())
        super().__setstate__(state)
        fitted = self._fitted()
        if fitted:
            self._check_fitted(fitted)
            self._become({**self._encoder_of(fitted), **fitted})

    def _check_names(self, names):
        """Raise if attributes would hide methods, or what a class says of itself."""
        known = {*fitted_names(), *(field.name for field in fields(self))}
        for cls in type(self).__mro__:
            is_of_user = cls.__module__.split(".")[0] not in ("skrnn", "sklearn")
            for name in () if is_of_user else vars(cls).keys() & names - known:
                raise ValueError(
                    f"{name} is an attribute of this {type(self).__name__}, but also "
                    f"of its class. {CHANGED}"
                )

    def _check_fitted(self, fitted):
        """Raise unless fitted attributes are those that a fit sets."""
        name, attributes = type(self).__name__, dict(fitted)
        encoder = attributes.pop("encoder_", None)
        constraints = self._parameter_constraints
        check_attributes(attributes, self._tasks, self._says_of_y, constraints, name)
        if encoder is None:
            return
        expected = self._encoder_of(attributes).get("encoder_")
        if type(encoder) is not type(expected) or not encoder._fitted():
            raise ValueError(
                f"encoder_ of this {name} is {describe(encoder)} instead of a fitted "
                f"RNNEncoder. {CHANGED}"
            )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "W_")

    def _learn(
        self,
        X,
        y,
        sample_weight,
        validation=None,
        *,
        classes=None,
        is_partial=False,
    ):
        """The template of `fit` and `partial_fit`.

        Parameters
        ----------
        X, y, sample_weight
            As the user passed them.
        validation : ValidationData, default=None
            As the user passed it to `fit`.
        classes : array-like, default=None
            As the user passed them to `partial_fit`.
        is_partial : bool, default=False
            Whether this is a call of `partial_fit`.

        Returns
        -------
        self : estimator instance
        """
        if is_partial:
            self._validate_params()  # scikit-learn skips this if it is fitted
        settings = Settings.of(type(self).__name__, self._parameters(), is_partial)
        find_device(settings["device"])  # before all of X is read
        last, group = self._last_fit(settings), current_group()
        is_chunked = isinstance(X, ChunkedDataset) and self._reads_chunks
        is_chunked &= not is_partial
        has_validation = validation is not None and validation.X is not None
        check_agreement(group, settings, last, classes, has_validation, is_chunked)
        if is_chunked:
            check_whole(y, sample_weight, validation, settings)
            kept, expected, epochs = self._read_chunks(X, settings, last, group)
        else:
            kept, expected, epochs = self._read_samples(
                X, y, sample_weight, classes, settings, last, group
            )
        head = epochs.head
        given, has_y = None, head is not None or y is not None
        if validation is not None and validation.is_given(has_y, settings):
            given = self._read_validation(validation, kept, expected, head)

        def attributes_of(learned, **more):
            attributes = {**kept, **learned.attributes()}
            attributes |= self._attributes_of_y(learned.head)
            return {**attributes, **more, **self._encoder_of({**attributes, **more})}

        def attributes_meanwhile(learned):
            # A copy of this estimator gets them by setattr: nothing of the last fit,
            # or of this moment, is to be left.
            others = self._at_this_moment(without=(*fitted_names(), *_OF_THE_MOMENT))
            return {"__dict__": {**vars(others), **attributes_of(learned)}}

        task = FitTask(self, X, y, sample_weight, attributes_meanwhile, group.rank == 0)
        learned = fit(epochs, settings, task, last, given)
        more = {"_training": learned.training()} if is_partial else {}
        before, now = self._fitted(), attributes_of(learned, **more)
        try:
            self._become(now)
            task.end()
        except BaseException:
            self._become(before)
            raise
        learned.checkpoint.fit_is_over(learned.state.progress)
        return self

    def _parameters(self):
        """The values of the parameters, except those that users' subclasses add.

        A subclass that fixes a parameter declares it as a ClassVar.
        """
        names = [field.name for field in (*fields(BaseRNN), *fields(self))]
        return {name: getattr(self, name) for name in names}

    def _last_fit(self, settings):
        """The fit to continue from, or None."""
        attributes = self._fitted()
        if "W_" not in attributes or not (
            settings["warm_start"] or settings.is_partial
        ):
            return None
        expected = Schema.from_attributes(settings.estimator_name, attributes)
        model = Model.from_attributes(attributes, self._head_of(attributes))
        model.check_outputs()
        last = LastFit(attributes, expected, model, settings.is_partial)
        last.check_same_network(settings)
        return last

    def _read(self, X, y, settings, last):
        """Read the X of a fit.

        Returns
        -------
        kept : dict
            Attributes that describe X.
        schema : Schema
            What any other X must be like.
        sequences : Sequences
        context : Context or None
            The vectors on which the sequences depend, if there are any.
        """
        if last is not None:
            sequences = last.schema.read(X, table_reader(self._at_this_moment()))
            names = [name for name in schema.ATTRIBUTES if name in last.attributes]
            kept = {name: last.attributes[name] for name in names}
            return kept, last.schema, sequences, None
        # scikit-learn's validation sets attributes: on a copy, not on this estimator.
        other = self._at_this_moment(without=fitted_names())
        before = Schema(settings.estimator_name, settings.reading)
        read_table = table_reader(other, reset=True)
        learned, sequences = before.learn(X, read_table, y is not None)
        kept = learned.attributes()
        if hasattr(other, "feature_names_in_"):
            kept["feature_names_in_"] = other.feature_names_in_
        return kept, learned, sequences, None

    def _read_samples(self, X, y, sample_weight, classes, settings, last, group):
        """Read and validate X and y, and those of the other ranks of a group.

        Returns
        -------
        kept, schema
            As :meth:`_read` returns them.
        epochs : EpochsInMemory
        """
        kept, expected, sequences, context = self._read(X, y, settings, last)
        targets, weight = self._validated(y, sample_weight, sequences)
        kept, expected = gather_schemas(group, kept, expected, is_new=last is None)
        sequences, targets, weight, context = gather_samples(
            group, sequences, targets, weight, context
        )
        samples, head = self._aim(sequences, targets, weight, classes, settings, last)
        samples = replace(samples, context=context)
        return kept, expected, EpochsInMemory(samples, head)

    def _read_chunks(self, dataset, settings, last, group):
        """Read a dataset once; see :func:`skrnn._epochs.read_chunks`."""

        def read_first(X, y):
            return self._read(X, y, settings, last)[:3]

        def aim(sequences, y, weight):
            return self._aim(sequences, y, weight, None, settings, last)

        chunks = Chunks(
            dataset,
            read_first,
            self._read_more,
            self._validated,
            has_tags=getattr(self._head, "per_step", False),
            needs_y=self._head is not None or self._y_is_required,
        )
        kept, expected, epochs = read_chunks(
            chunks, settings, last, self._head, aim, group
        )
        if epochs.is_sampled and epochs.head is not None:
            self._check_task(epochs.head.task, epochs.first.sample.target)
        return kept, expected, epochs

    def _read_more(self, kept, expected, X):
        """Read an X like that of which some attributes, and the schema, are known."""
        fitted = self._at_this_moment(without=fitted_names())
        vars(fitted).update(kept)
        return expected.read(X, table_reader(fitted))

    def _read_validation(self, validation, kept, expected, head):
        """Read validation data: X by the schema of X, y by the head of y.

        Returns
        -------
        samples : Samples
        """
        with about_validation_data():
            sequences = self._read_more(kept, expected, validation.X)
            y, weight = self._validated(
                validation.y, validation.sample_weight, sequences, head
            )
            sequences, y, weight, _ = gather_samples(
                current_group(), sequences, y, weight
            )
            target = None
            if head is not None:
                target = later_targets(head, y, weight, sequences.offsets)
        return _samples(sequences, target, weight, head)

    def _validated(self, y, sample_weight, sequences, head=None, may_be_0=False):
        """y and sample_weight as arrays, validated against X.

        Those of validation data have a head; y is then like that of the head. In a
        chunk, all weights may be 0.
        """
        head = head or self._head
        return validate_targets(
            y,
            sample_weight,
            sequences.lengths,
            type(self).__name__,
            are_numbers=head is not None and head.task == "regression",
            is_required=head is not None or self._y_is_required,
            may_be_0=may_be_0,
        )

    def _aim(self, sequences, y, weight, classes, settings, last):
        """Samples with their targets, and the head that predicts these.

        Returns
        -------
        samples : Samples
        head : Head or None
            None if the next step is to be predicted.
        """
        if settings.is_partial:
            last_head = None if last is None else last.model.head
            head = head_of_chunk(
                y,
                weight,
                classes,
                last_head,
                self._head,
                self._needs_classes,
                sequences.offsets,
            )
        else:
            head = learn_head(y, weight, self._head)
        target = None
        if head is not None:
            self._check_task(head.task, y)
            class_weight = settings.parameters.get("class_weight")
            if class_weight is not None:
                weight = weigh_classes(class_weight, y, weight, head.classes)
            head = head.fitted_to(y, weight)
            target = head.targets(y, weight)
        return _samples(sequences, target, weight, head), head

    def _head_of(self, attributes):
        """The head of a fit, from the attributes that the fit has set."""
        return head_of(attributes)

    def _check_task(self, task, y):
        """Raise if this estimator does not support such a y."""

    def _attributes_of_y(self, head):
        """What this estimator keeps of y, in addition to what the head keeps."""
        return {}

    def _encoder_of(self, attributes):
        """The attribute ``encoder_``, if this estimator has one."""
        return {}

    def _become(self, attributes):
        """Set all fitted attributes in one step."""
        others = {k: v for k, v in vars(self).copy().items() if k not in fitted_names()}
        self.__dict__ = {**others, **attributes}

    def _check_parameters(self):
        """Raise if parameters are invalid or incompatible, as `fit` does."""
        self._validate_params()
        Settings.of(type(self).__name__, self._parameters())

    def _fitted(self):
        """The attributes set by the last fit."""
        now = vars(self)  # another thread may replace it, but does not change it
        return {name: now[name] for name in fitted_names() if name in now}

    def _at_this_moment(self, without=()):
        """A copy with the current attributes, optionally without some of them.

        Another thread may be fitting the original.
        """
        copy = object.__new__(type(self))
        now = vars(self).copy()
        copy.__dict__ = {k: v for k, v in now.items() if k not in without}
        return copy


def _samples(sequences, target, weight, head):
    """All sequences of X, with their targets, or those of their steps."""
    per_step = head is not None and head.per_step
    return Samples(sequences, target, weight, np.arange(len(sequences)), per_step)
