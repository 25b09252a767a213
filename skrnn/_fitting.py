"""One fit on one page: read, choose a head, hold out, train, judge."""

import math
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from skrnn._checkpoint import Checkpoint, NoCheckpoint, open_checkpoint
from skrnn._continuing import LastFit, saved_training
from skrnn._convergence import check_converged
from skrnn._core import public
from skrnn._core.architecture import Architecture
from skrnn._core.execution import arithmetic, random_seed
from skrnn._core.imports import import_lock, kernel_imports
from skrnn._core.trainer import Trainer
from skrnn._core.training_state import TrainingState
from skrnn._heads.density import DensityHead
from skrnn._heads.head import Head
from skrnn._heads.language import LanguageHead, in_streams
from skrnn._heads.next_step import NextStepHead
from skrnn._initial_state import Read, initial_state, warn_of_vocabulary
from skrnn._judging import Judge
from skrnn._model import Model
from skrnn._reading.inputs import Inputs
from skrnn._reading.reader import learn_reader, read_more
from skrnn._reading.series import SeriesReader
from skrnn._reading.tokens import TokenReader
from skrnn._reading.vectors import VectorReader
from skrnn._warnings import about_sequences_in_y, about_validation_data


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit has learned so far; only the state changes during training.

    Attributes
    ----------
    reader : TokenReader or SeriesReader
    head : Head
    architecture : Architecture
    inputs : Inputs
    state : TrainingState
    last : LastFit or None
    checkpoint : Checkpoint or NoCheckpoint
        The file from which the fit continues.
    vector_reader : VectorReader or None
        How the vectors are read on which the sequences depend, if there are any.
    """

    reader: TokenReader | SeriesReader
    head: Head
    architecture: Architecture
    inputs: Inputs
    state: TrainingState
    last: LastFit | None
    checkpoint: Checkpoint | NoCheckpoint
    vector_reader: VectorReader | None = None

    def model(self, out=None):
        """The model with the current weights."""
        reader = self.reader.with_trained(self.inputs, out)
        with arithmetic() as execution:
            arrays = public.to_public(self.state.weights, execution)
            arrays |= public.missing_weights(self.architecture, arrays)
            coef = self.state.wide
            if coef is not None:  # the weights of an n-gram are contiguous
                coef = execution.array(coef).copy().T
        head = self.head.with_trained(arrays)
        return Model(reader, head, self.architecture, arrays, coef)

    def attributes(self):
        """The attributes that the estimator would get if the fit ended now."""
        progress = self.state.progress
        curve = [*(self.last.loss_curve if self.last else []), *progress.loss_curve]
        attributes = {
            **self.model().attributes(),
            "loss_curve_": curve,
            "loss_": curve[-1],
            "best_loss_": min(curve),
            "n_iter_": len(curve),
        }
        if self.vector_reader is not None:
            attributes |= self.vector_reader.attributes()
        if progress.validation_scores:
            attributes["validation_scores_"] = list(progress.validation_scores)
            attributes["validation_loss_curve_"] = list(progress.validation_losses)
            attributes["best_validation_score_"] = max(progress.validation_scores)
        return attributes

    def training(self):
        """The state from which the next call of `partial_fit` continues."""
        vectors = getattr(self.reader, "vectors", None)
        with arithmetic():
            return saved_training(self.state, self.inputs, vectors, self.last)


def fit(epochs, settings, watch, last=None, validation=None):
    """Learn how to read the samples, then the weights.

    Parameters
    ----------
    epochs : EpochsInMemory or EpochsInChunks
        What is learned from.
    settings : Settings
    watch : object
        Is notified of the progress; see :meth:`skrnn._core.trainer.Trainer.run`. Its
        ``begin(n_epochs, fit)`` is called once all data is read and checked.
    last : LastFit, default=None
        The fit to continue from.
    validation : Samples, default=None
        With Sequences, and with the user's weights: what early stopping is based on.
        None to hold out some of the samples.

    Returns
    -------
    fit : Fit
    """
    samples, head = epochs.samples, epochs.head
    if head is None:
        settings.check_can_predict_next_step()
    with arithmetic() as execution:
        execution = execution.together()
        data = samples, head, validation, epochs.names
        checkpoint = execution.group.of_first(
            partial(open_checkpoint, settings, data, last)
        ).of_rank(execution.group.rank)
        generator = execution.generator(checkpoint.seed)
        samples, given = map(_without_weight_0, (samples, validation))
        held_out = None
        if given is None:
            samples, held_out = _hold_out(samples, head, settings, generator)
        read = _read_all(samples, epochs, settings, generator, last)
        settings, head, samples = read.settings, read.head, read.samples
        plan = _plan(settings, head, samples, *epochs.size(samples))
        if last is None:
            with _about_sequences(samples):
                warn_of_vocabulary(read.reader, samples.steps, settings, head)
        result = Fit(
            reader=read.reader,
            head=head,
            architecture=settings.architecture,
            inputs=read.inputs,
            state=initial_state(read, last, execution, generator),
            last=last,
            vector_reader=read.vector_reader,
            checkpoint=checkpoint,
        )
        judge = _judge(held_out, given, settings, result)
        there = epochs.among(execution.on(settings["device"]))
        smoothing = float(settings.parameters.get("label_smoothing", 0.0))
        data = epochs.training_data(samples, result, plan, there, smoothing)
        callbacks = execution.group.of_first(watch.callbacks)
        checkpoint.resume(result.state, watch.says(), callbacks)
        watch.begin(plan.lengthened(plan.n_held), result)
        with _announcing(watch.says()), checkpoint.saving(watch) as watch:
            Trainer(head.loss, plan, there).run(result.state, data, judge, watch)
        check_converged(settings, result, samples, judge)
    return result


def _read_all(samples, epochs, settings, generator, last):
    """Learn how to read, unless the last fit has, and read.

    Returns
    -------
    read : Read
    """
    learns_end = settings.learns_end(len(samples), last)
    with _about_sequences(samples):
        head, counts = epochs.head, epochs.counts
        reader, samples = _read(samples, head, settings, generator, last, counts)
        if head is None:
            are_all = not (epochs.is_sampled or settings.is_partial)
            head = _next_step_head(reader, samples, settings, last, learns_end, are_all)
    vector_reader, samples = _read_vectors(samples, settings, last)
    samples = replace(samples, steps=head.begun(samples.steps))
    before = None if last is None else last.model.architecture
    settings = settings.for_data(reader, head, before)
    n_times = epochs.n_times(reader, samples)
    inputs = reader.inputs(
        samples.steps, samples.weight_of_sequences, settings.reading, n_times
    )
    samples = replace(head.samples_of(samples), steps=inputs.steps)
    samples = _side_by_side(samples, learns_end, settings)
    return Read(reader, head, settings, inputs, samples, vector_reader)


def _plan(settings, head, samples, n_samples, n_rows):
    """The training plan, by the numbers of sequences and of steps of an epoch."""
    if head.per_step:
        return settings.plan(n_samples, n_rows, None, head.loss)
    chance = head.chance(samples.target, samples.weight)
    return settings.plan(n_samples, None, chance, head.loss)


def _about_sequences(samples):
    """A context in which messages name what holds the sequences: y beside vectors."""
    return nullcontext() if samples.context is None else about_sequences_in_y()


def _announcing(is_wanted):
    """A context in which to print that the first fit compiles, if that is wanted."""
    with kernel_imports():
        from skrnn._core.compiled import Announcement

    return Announcement(print) if is_wanted else nullcontext()


def _without_weight_0(samples):
    """The samples without those of weight 0, which is equivalent to removal."""
    if samples is None:
        return None
    return samples.take(np.flatnonzero(samples.weight_of_sequences))


def _hold_out(samples, head, settings, generator):
    """Hold out sequences for early stopping, stratified by class.

    If a class has only one sequence, it is used for training. The held-out sequences
    influence neither the vocabulary nor the means and scales.

    Returns
    -------
    training : Samples
    held_out : Samples or None
    """
    if not settings["early_stopping"]:
        return samples, None
    # Imported lazily, because it imports half of scikit-learn.
    with import_lock:
        from sklearn.model_selection import train_test_split

    n_samples = len(samples)
    if head is None and n_samples == 1:
        return _hold_out_the_end(samples, settings)
    strata, least = np.zeros(n_samples), 1
    if head is not None and not head.per_step:
        strata, least = head.strata(samples.target)
    _, strata, counts = np.unique(strata, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(counts[strata] > 1)
    n_held_out = math.ceil(settings["validation_fraction"] * n_samples)
    if least == 0 or min(n_held_out, len(rows) - n_held_out) < least:
        of_classes = ""
        if head is not None and head.task == "classification":
            of_classes = f" of {len(counts)} classes"
        raise ValueError(
            f"early_stopping=True would hold out {n_held_out} of {n_samples} "
            f"sequences{of_classes}, which is too few or leaves too few. Use more "
            "sequences, another validation_fraction or early_stopping=False."
        )
    _, chosen = train_test_split(
        rows,
        test_size=n_held_out,
        stratify=strata[rows],
        random_state=random_seed(generator),
    )
    is_held_out = np.isin(np.arange(n_samples), chosen)
    parts = ~is_held_out, is_held_out
    return tuple(samples.take(np.flatnonzero(part)) for part in parts)


def _hold_out_the_end(samples, settings):
    """Hold out the last steps of the only sequence.

    Returns
    -------
    training, held_out : Samples
    """
    (n_steps,) = samples.steps.lengths
    n_held_out = math.ceil(settings["validation_fraction"] * n_steps)
    if min(n_held_out, n_steps - n_held_out) < 2:
        raise ValueError(
            f"early_stopping=True would hold out {n_held_out} of the {n_steps} steps "
            "of the only sequence of X, which is too few or leaves too few. Use a "
            "longer sequence, another validation_fraction or early_stopping=False."
        )
    parts = ("first", n_steps - n_held_out), ("last", n_held_out)
    return tuple(
        replace(samples, steps=samples.steps.cut(n, side)) for side, n in parts
    )


def reading_options(settings, last, head, sequences):
    """How sequences are read for what is predicted.

    Returns
    -------
    options : ReadingOptions or None
        None if they are read as in the last fit.
    has_labels : bool
        Whether labels or tokens are predicted, rather than numbers.
    """
    has_labels = head is None or head.loss != "squared_error"
    if last is not None:
        return None, has_labels
    options = settings.reading
    if head is None:  # whole series, and windows, would tell of next steps
        options = options.looking_back()
    if settings["truncate"] is not None:
        options = options.without_filters()
    if head is not None and head.task == "tagging":
        options = options.of_tags(sequences)
    if head is None and sequences.kind == "words":
        options = options.of_single_words()
    return options, has_labels


def _read(samples, head, settings, generator, last, counts=None):
    """The reader, new or that of the last fit, and the samples as it reads them."""
    options, has_labels = reading_options(settings, last, head, samples.steps)
    if options is not None:
        n_outputs = 1 if head is None else head.n_outputs
        reader, steps = learn_reader(
            options, samples, generator, has_labels, n_outputs, counts
        )
        return reader, replace(samples, steps=steps)
    options = settings.reading
    reader = last.model.reader
    if head is None:
        settings.check_looks_back(reader)
    steps = read_more(reader, options, samples.steps, samples.positions)
    last.check_steps(steps)
    if not (last.is_partial or reader.knows_some(steps.values)):
        raise ValueError(
            "warm_start=True keeps the vocabulary of the last fit, which has no token "
            f"of X: its first one is {next(iter(reader.vocabulary))!r}. Use "
            "warm_start=False."
        )
    return reader, replace(samples, steps=reader.with_wide(steps))


def _side_by_side(samples, learns_end, settings):
    """The samples, those of a language model cut into streams of similar lengths."""
    if learns_end is None or settings["truncate"] is None:
        return samples
    n_rows = len(samples.steps.values)
    return in_streams(samples, settings.n_streams(n_rows), settings["truncate"])


def _next_step_head(reader, samples, settings, last, learns_end, are_all):
    """A head that predicts what comes after each step."""
    is_series, n_outputs = reader.kind == "series", None
    if reader.kind == "features":
        cure = "Pass y, or one token" if learns_end is None else "Pass one token"
        raise ValueError(
            "The next step is predicted, but X holds sequences of features, which "
            f"may be any. {cure} for each step."
        )
    if not is_series and reader.ngram_range[0] > 1:
        raise ValueError(
            "Without y, the next token is predicted, but ngram_range="
            f"{settings['ngram_range']!r} leaves single tokens out. Begin it with 1."
        )
    if last is not None and last.model.head.per_step:
        n_outputs = last.model.head.n_outputs
    elif not (are_all or is_series):  # other chunks may have any token
        n_outputs = 1 + reader.last_token_id
    patch_length = reader.patch_length if is_series else 1
    if is_series and samples.context is not None:
        head = DensityHead()
    elif learns_end is None:
        head = NextStepHead(is_series=is_series, patch_length=patch_length)
    else:
        learns_end &= not is_series
        head = LanguageHead(is_series=is_series, learns_end=learns_end)
    return head.learned(samples, n_outputs)


def _read_vectors(samples, settings, last):
    """How the vectors are read on which sequences depend, and the samples with them."""
    context = samples.context
    if context is None:
        return None, samples
    if last is None:
        standardize = settings["standardize"]
        reader = VectorReader.learn(context, samples.weight, standardize)
    else:
        reader = VectorReader.from_attributes(last.attributes)
    return reader, replace(samples, context=reader.read(context, samples.positions))


def _judge(held_out, given, settings, result):
    """The Judge for early stopping, or None without early stopping.

    Either sequences have been held out, or validation data has been given, or neither.
    """
    if held_out is not None:
        steps = result.reader.encode(held_out.steps, held_out.positions)
    elif given is not None:
        held_out = given
        with about_validation_data(), _about_sequences(given):
            steps = read_more(
                result.reader, settings.reading, given.steps, given.positions
            )
        if result.head.task == "regression" and len(given) < 2:
            raise ValueError(
                "X_val has 1 sequence of a weight above 0, but the score of numbers, "
                "R^2, is undefined for fewer than 2. Pass more sequences."
            )
    else:
        return None
    steps = result.head.begun(result.reader.with_wide(steps))
    context = held_out.context
    if context is not None:
        with about_validation_data() if given is not None else nullcontext():
            context = result.vector_reader.read(context, held_out.positions)
    held_out = replace(held_out, steps=steps, context=context)
    samples = result.head.samples_of(held_out)
    vectors = getattr(result.reader, "vectors", None)
    if vectors is not None:
        vectors = vectors.copy()  # once, not after each epoch
    return Judge(samples, result.head, partial(result.model, vectors))
