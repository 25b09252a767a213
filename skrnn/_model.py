"""The result of a fit: a reader, a head and weights, ready to predict."""

import math
from dataclasses import asdict, dataclass

import numpy as np

from skrnn._core import encode, linear, output, public, transduce
from skrnn._core.architecture import Architecture
from skrnn._core.beam import mean_log_p
from skrnn._core.condition import Condition
from skrnn._core.context import Context
from skrnn._core.emission import Frames
from skrnn._core.execution import arithmetic
from skrnn._core.generate import StepByStep
from skrnn._core.sequences import rows_of
from skrnn._core.vocabulary import check_ids
from skrnn._core.writing import ContextWriter, batches, search, useful_threads
from skrnn._heads.head import Head
from skrnn._reading.reader import reader_of
from skrnn._reading.series import SeriesReader
from skrnn._reading.tokens import TokenReader

# Up to this number of tokens, the vector of each is copied, even if some are the same:
# that takes less time than finding the distinct ones.
_FEW = 256
# Maximum number of sequences whose vectors are multiplied by weights at once.
VECTORS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Model:
    """A reader, a head, and the weights of a network between them.

    It is built from the public attributes of an estimator for each prediction, so that
    weights edited by a user are used, and estimators of earlier versions still work.

    Attributes
    ----------
    reader : TokenReader or SeriesReader
    head : Head
    architecture : Architecture
    arrays : dict
        The weights, as :func:`skrnn._core.public.to_public` returns them.
    wide_coef : ndarray of shape (n_outputs, n_columns), float32, or None
        The weights of the wide path, if there is one.
    """

    reader: TokenReader | SeriesReader
    head: Head
    architecture: Architecture
    arrays: dict
    wide_coef: np.ndarray | None = None

    @classmethod
    def from_attributes(cls, attributes, head):
        """The model of a fitted estimator, from its attributes and its head."""
        architecture = Architecture(**attributes["_architecture"])
        names = public.names_of(architecture, head.has_transitions)
        arrays = {name: _as_float32(attributes[name], name) for name in names}
        wide_coef = attributes.get("wide_coef_")
        if wide_coef is not None:
            wide_coef = _as_float32(wide_coef, "wide_coef_")
        head = head.with_trained(arrays)
        return cls(reader_of(attributes), head, architecture, arrays, wide_coef)

    def attributes(self):
        """The attributes that an estimator keeps of the model."""
        return {
            **self.reader.attributes(),
            **self.head.attributes(),
            **self.arrays,
            **({} if self.wide_coef is None else {"wide_coef_": self.wide_coef}),
            "_architecture": asdict(self.architecture),
        }

    def states(self, steps):
        """The pooled hidden states of each sequence.

        Parameters
        ----------
        steps : Steps

        Returns
        -------
        h : ndarray of shape (n_samples, n_features_out), float32
        """
        with arithmetic() as execution:
            weights, values = self._tensors(steps, execution)
            n_threads = encode.useful_threads(steps.offsets, execution.n_threads)
            with execution.threads(n_threads) as run:
                return encode.encode(weights, values, steps.offsets, run, steps.keys)

    def states_of_steps(self, steps):
        """The hidden states of the last layer after each step.

        Parameters
        ----------
        steps : Steps

        Returns
        -------
        H : list of ndarrays of shape (n_steps, n_directions * nhidden), float32
            As :func:`skrnn._core.encode.states_of_all_steps` returns them.
        """
        with arithmetic() as execution:
            weights, values = self._tensors(steps, execution)
            return encode.states_of_all_steps(weights, values, steps.offsets)

    def step_by_step(self, n_sequences, states=None, context=None):
        """Sequences that are read side by side, one step at a time.

        Parameters
        ----------
        n_sequences : int
        states : list, default=None
            See :class:`skrnn._core.generate.StepByStep`.
        context : Context, default=None
            The vectors of the sequences, if they depend on one each.
        """
        self.check_outputs()
        vectors = getattr(self.reader, "vectors", None)
        public.check_shapes(self.architecture, self.arrays, vectors)
        with arithmetic() as execution:
            weights = public.from_public(
                self.architecture, self.arrays, None, vectors, execution
            )
        condition = None if context is None else Condition(weights, context)
        return StepByStep(weights, n_sequences, states, condition)

    def scores(self, h, steps=None):
        """``V h + c``; if there is a wide path, the mean of it and ``A x``.

        Parameters
        ----------
        h : ndarray of shape (n_samples, n_features_out)
        steps : Steps, default=None
            What a wide path reads. The scores of strings and token lists without known
            n-grams are those of the network alone, and so are all without steps.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_outputs), float32
        """
        self.check_outputs()
        V, c = self.arrays["V_"], self.arrays["intercept_"]
        scores = output.output_scores(V, c, np.ascontiguousarray(h, np.float32))
        is_wide = self.wide_coef is not None and self.reader.wide is not None
        if is_wide and steps is not None:
            A = np.ascontiguousarray(self.wide_coef.T)
            for part, x in self.reader.wide_rows(steps):
                linear.average(x, A, scores[part])
        return scores

    def scores_of_steps(self, steps):
        """``V h_t + c`` of each step.

        Parameters
        ----------
        steps : Steps

        Returns
        -------
        scores : ndarray of shape (n_rows, n_outputs), float32
        """
        with arithmetic() as execution:
            weights, values = self._tensors(steps, execution)
            scores = np.empty((len(values), len(weights.c)), np.float32)

            def use(rows, H):
                scores[rows] = self.scores(H)

            n_threads = encode.useful_threads(steps.offsets, execution.n_threads)
            with execution.threads(n_threads) as run:
                encode.use_states_of_all_steps(weights, values, steps.offsets, use, run)
        return scores

    def losses_of_steps(self, steps, target, context=None):
        """The loss of each step, for a head that predicts at each of them.

        Parameters
        ----------
        steps : Steps
        target : ndarray of shape (n_rows, ...)
        context : Context, default=None
            The vectors of the sequences, if they depend on one each.

        Returns
        -------
        losses : ndarray of shape (n_rows,), float64
        """
        losses = np.zeros(len(target))
        if context is not None and len(context) > VECTORS_AT_ONCE:
            for some in some_at_a_time(len(context), VECTORS_AT_ONCE):
                rows, _ = rows_of(steps.offsets, some)
                losses[rows] = self.losses_of_steps(
                    steps.take(some), target[rows], context.take(some)
                )
            return losses
        with arithmetic() as execution:
            weights, values = self._tensors(steps, execution)
            n_threads = encode.useful_threads(steps.offsets, execution.n_threads)
            n_at_once = max(1, output.MAX_SCORES // n_threads // len(weights.c))
            condition = None if context is None else Condition(weights, context)

            def use(rows, H):
                for first in range(0, len(rows), n_at_once):
                    some = rows[first : first + n_at_once]
                    scores = self.scores(H[first : first + n_at_once])
                    losses[some] = self.head.losses(scores, target[some])

            with execution.threads(n_threads) as run:
                encode.use_states_of_all_steps(
                    weights, values, steps.offsets, use, run, condition
                )
        return losses

    def mean_loss_of_steps(self, samples):
        """The mean of :meth:`losses_of_steps`, infinity if it is not finite.

        Parameters
        ----------
        samples : Samples
            With a target for each step.
        """
        losses = self.losses_of_steps(samples.steps, samples.target, samples.context)
        counts = samples.weight > 0
        mean = float(np.average(losses[counts], weights=samples.weight[counts]))
        return mean if math.isfinite(mean) else math.inf

    def log_p_of_tokens(self, steps, answers):
        """The logarithm of the probability of each token of an answer to each sequence.

        Parameters
        ----------
        steps : Steps
        answers : Answers

        Returns
        -------
        log_p : ndarray of shape (n_tokens,), float64
            In the order of the tokens of the answers.
        """
        log_p = np.empty(len(answers.tokens))
        with arithmetic() as execution:
            weights, values = self._tensors(steps, execution)
            n_threads = useful_threads(len(answers), execution.n_threads)

            def compute(batch):
                memory = transduce.read(weights, values, steps.offsets, batch)
                batch = batch[memory.packing.indices]
                rows, _ = rows_of(answers.offsets, batch)
                log_p[rows] = transduce.log_p_of_tokens(weights, memory, answers[batch])

            with execution.threads(n_threads) as run:
                list(run(compute, batches(steps.lengths, n_threads)))
        return log_p

    def mean_loss_of_answers(self, samples):
        """The mean loss per token of the answers, infinity if it is not finite.

        Parameters
        ----------
        samples : Samples
            Its target is Answers.
        """
        log_p = log_p_together([self], [samples.steps], samples.target)
        counts = samples.weight > 0  # others may be impossible
        weight, lengths = samples.weight[counts], samples.target.lengths[counts]
        mean = -float(weight @ log_p[counts] / (weight @ lengths))
        return mean if math.isfinite(mean) else math.inf

    def share_written(self, samples):
        """The share of the answers that are written, each token the likeliest.

        Parameters
        ----------
        samples : Samples
            Its target is Answers.
        """
        answers = samples.target
        longest = int(answers.lengths.max())  # an answer as long as this is none
        found = self.written(samples.steps, longest)
        are_right = found.are_equal(*answers.without_ends())
        return float(np.average(are_right, weights=samples.weight))

    def written(self, inputs, max_length, **options):
        """The likeliest answer to each of the inputs; see :func:`written_together`."""
        return written_together([self], [inputs], max_length, **options)

    def writer_of(self, inputs, execution):
        """A function that returns a writer for some of the inputs.

        Parameters
        ----------
        inputs : Steps or Context
        execution : Execution

        Returns
        -------
        writer_of : callable
            See :func:`skrnn._core.writing.search`.
        """
        if isinstance(inputs, Context):

            def from_vectors(batch):
                steps = self.step_by_step(len(batch), context=inputs.take(batch))
                return ContextWriter(steps, lambda h, i: check_finite(h, batch[i]))

            return from_vectors
        weights, values = self._tensors(inputs, execution)

        def from_sequences(batch):
            memory = transduce.read(weights, values, inputs.offsets, batch)
            if self.architecture.n_frames:
                return Frames.of(weights, memory)
            return transduce.DecoderWriter(weights, memory)

        return from_sequences

    def attention_weights(self, steps, answers):
        """How the decoder looks back while it writes given answers.

        Parameters
        ----------
        steps : Steps
        answers : Answers

        Returns
        -------
        A : list of ndarrays of shape (n_tokens + 1, n_steps)
        """
        A = [None] * len(answers)
        with arithmetic() as execution:
            weights, values = self._tensors(steps, execution)
            for batch in batches(steps.lengths):
                memory = transduce.read(weights, values, steps.offsets, batch)
                batch = batch[memory.packing.indices]
                found = transduce.attention_weights(weights, memory, answers[batch])
                for i, each in zip(batch, found, strict=True):
                    A[i] = each
        return A

    def _tensors(self, steps, execution):
        """The weights in the layout of the network, and the values it reads.

        If there are fewer values than tokens in the vocabulary, the tokens in use are
        renumbered, so that a few sequences need not wait for the vectors of all tokens.
        """
        self.check(steps)
        ids, values, vectors = None, steps.values, None
        if self.reader.kind != "series":
            vectors = self.reader.vectors
            if values.size < len(self.reader.vocabulary):
                ids, values = _renumbered(values)
            values = np.ascontiguousarray(values, np.int32)
        weights = public.from_public(
            self.architecture, self.arrays, ids, vectors, execution
        )
        return weights, values

    def check(self, steps):
        """Raise if the network cannot read steps. The kernels do not check it.

        Raises
        ------
        ValueError
            If the shapes of weights do not fit each other, or the steps; users may have
            edited attributes, or their file may have been damaged.
        """
        vectors = getattr(self.reader, "vectors", None)
        public.check_shapes(self.architecture, self.arrays, vectors)
        if self.reader.kind != "series":
            table, n = self.table
            # An id depends on their number.
            if self.reader.grams is not None or self.reader.subwords is not None:
                self.reader.check_vectors(n, table)
            check_ids(steps.values, n, self.reader.source_of_ids, table)
            return
        name = "filters_" if self.architecture.kernel_sizes else "U_"
        n_inputs = self.arrays[name][0].shape[1]
        if steps.values.shape[1] != n_inputs:
            raise ValueError(
                f"{name} has {n_inputs} inputs, but X needs {steps.values.shape[1]}. "
                "Give weights that you edit the shapes that they had after the fit."
            )

    def check_outputs(self):
        """Raise unless the head has a label, or a mean and a scale, for each score.

        Raises
        ------
        ValueError
            If a user has edited attributes, or their file was damaged.
        """
        n = len(self.arrays["V_"])
        self.head.check_outputs(n, self.reader)
        wide = self.reader.wide
        if wide is not None and np.shape(self.wide_coef) != (n, wide.n_columns):
            raise ValueError(
                f"wide_coef_ has the shape {np.shape(self.wide_coef)}, but V_ has {n} "
                f"rows, and {wide.COLUMNS} has {wide.n_columns} numbers. Undo the "
                "changes to them since the fit, or fit again."
            )

    @property
    def table(self):
        """The attribute that has the vectors of tokens, and how many there are."""
        if self.reader.vectors is not None:
            return "embeddings_", len(self.reader.vectors)
        return "U_", self.arrays["U_"][0].shape[1]


def written_together(models, inputs, max_length, ids=None, **options):
    """The likeliest answers, by the mean of the probabilities of several models.

    Parameters
    ----------
    models : list of Model
    inputs : list of Steps, or of Context
        What each of them reads.
    max_length : int
    ids : list of ndarrays, default=None
        As in :class:`skrnn._core.writer.Together`.
    **options
        `width`, `n_best` and `length_penalty`, as in
        :func:`skrnn._core.beam.beam_search`.

    Returns
    -------
    found : Hypotheses
    """
    n_outputs = max(len(model.arrays["intercept_"]) for model in models)
    with arithmetic() as execution:
        writers = [
            model.writer_of(own, execution)
            for model, own in zip(models, inputs, strict=True)
        ]
        lengths = inputs[0].lengths
        return search(
            writers, lengths, n_outputs, max_length, execution, ids=ids, **options
        )


def log_p_together(models, inputs, answers):
    """The logarithm of the probability of an answer to each sequence.

    Parameters
    ----------
    models, inputs
        As in :func:`written_together`; the inputs are Steps.
    answers : Answers

    Returns
    -------
    log_p : ndarray of shape (n_samples,), float64
    """
    of_each = list(zip(models, inputs, strict=True))
    if not models[0].architecture.n_frames:
        of_tokens = [model.log_p_of_tokens(steps, answers) for model, steps in of_each]
        return np.add.reduceat(mean_log_p(of_tokens), answers.offsets[:-1])
    log_p = np.empty(len(answers))
    with arithmetic() as execution:
        readers = [model.writer_of(steps, execution) for model, steps in of_each]
        n_threads = useful_threads(len(answers), execution.n_threads)

        def compute(batch):
            frames = Frames.together([read(batch) for read in readers])
            log_p[batch] = frames.log_p(answers[batch])

        with execution.threads(n_threads) as run:
            list(run(compute, batches(inputs[0].lengths, n_threads)))
    return log_p


def some_at_a_time(n, n_at_once):
    """Yield the numbers from 0 to n, as arrays of at most `n_at_once`."""
    for first in range(0, n, n_at_once):
        yield np.arange(first, min(first + n_at_once, n))


def _renumbered(values):
    """The ids of tokens, and the place of each token in them."""
    shape = values.shape
    if values.size <= _FEW:
        return values.ravel(), np.arange(values.size).reshape(shape)
    ids, places = np.unique(values, return_inverse=True)
    return ids, places.reshape(shape)  # NumPy 1 flattens the inverse


def _as_float32(weights, name):
    """Weights, which a user may have edited, as float32; without a copy if they are."""
    try:
        if name in public.LISTS:
            return [np.asarray(array, dtype=np.float32) for array in weights]
        return np.asarray(weights, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} does not hold weights: {error}. Give weights that you edit the "
            "shapes that they had after the fit."
        ) from error


def check_finite(h, positions=None):
    """Raise if hidden states, or scores, are not finite.

    Parameters
    ----------
    h : ndarray of shape (n_sequences, n_features_out), or (n_rows, ...)
    positions : ndarray, default=None
        The position in X of the sequence that each row belongs to.

    Raises
    ------
    ValueError
        If any is infinite or NaN.
    """
    # A sum is finite only if all terms are, and takes a tenth of the time.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(h.sum()) or np.isfinite(h).all():
            return
    i = int(np.argmin(np.isfinite(h).all(axis=1)))
    i = i if positions is None else positions[i]
    raise ValueError(
        f"The hidden state of X[{i}] is not finite: its numbers are far from those "
        "seen in fit, or h grows at each step, as it can with activation='relu'. Use "
        "activation='tanh'."
    )
