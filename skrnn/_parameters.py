"""From parameters to settings: incompatible values, and the meaning of "auto"."""

import math
from dataclasses import dataclass, replace
from numbers import Integral
from types import NoneType

import numpy as np
from sklearn.utils import check_random_state

from skrnn._core.architecture import Architecture
from skrnn._core.plan import Plan
from skrnn._reading.options import ReadingOptions

# max_iter="auto": the number of updates, but for data sets of many minibatches. Filters
# of small data sets become better for longer.
_UPDATES, _UPDATES_OF_FILTERS = 400, 1600
# Networks that write sequences learn for longer, by smaller minibatches, and are best
# with some dropout. A model of 28,500 English words pronounced these shares of 1,500
# others wrong: after 8 epochs, 0.396 with one layer of 256 units in the
# decoder, and 0.371 with two of 192; after 26 epochs, 0.360 with a dropout of 0.3, but
# after 20 epochs 0.345 with 0.2. Without a decoder, a model of 8,000 words had 0.466 of
# 1,000 others wrong after 3,000 updates, and with two layers 0.424.
_UPDATES_OF_DECODERS, _UPDATES_OF_CTC = 10_000, 3000
_DROPOUT_OF_WRITERS, _MAX_BATCH_OF_WRITERS = 0.2, 64
# The number of filters of a layer of convolutions, as a share of nhidden.
_FILTERS = 0.375
# dropout="auto" of filters, and of the states of the recurrence, if there are both.
_DROPOUT_BESIDE_FILTERS = 0.2, 0.8
# dropout="auto" of words with tags. The accuracy on a Maltese validation set rose from
# 0.9405 to 0.9425, and that on an English one fell from 0.952 to 0.951. Without
# subwords, a rule that 8 units learned perfectly was right in 0.98 of all steps.
_DROPOUT_OF_WORDS = 0.3
# batch_size="auto" of a text: the least and the largest number of streams, and how many
# updates an epoch should have.
_STREAMS, _UPDATES_PER_EPOCH = (8, 64), 100
# No sequence in memory is longer; larger numbers may not fit into 64 bits.
_MAX_STEPS = 2**40
# The learning rate is held until the loss is below this share of that of a guess, but
# only for this share of the epochs: later, labels that are noise are memorised.
_SHARE_OF_CHANCE, _WAITED = 0.6, 0.6


@dataclass(frozen=True, slots=True)
class Settings:
    """The validated parameters of one fit.

    Attributes
    ----------
    estimator_name : str
        The class of the estimator, for messages.
    parameters : dict
        All parameters by name.
    reading : ReadingOptions
    architecture : Architecture
    is_partial : bool
        Whether to train for a single epoch that continues from the last one.
    has_tagged_words : bool, default=False
        Whether words are read with their subwords, and have tags, once that is known.
    """

    estimator_name: str
    parameters: dict
    reading: ReadingOptions
    architecture: Architecture
    is_partial: bool
    has_tagged_words: bool = False

    @classmethod
    def of(cls, estimator_name, parameters, is_partial=False):
        """Check parameters, and resolve those that do not depend on the data.

        Raises
        ------
        ValueError
            If parameters are incompatible.
        """
        if is_partial:
            _check_partial(parameters)
        architecture = _architecture(parameters)
        _check(parameters)
        reading = ReadingOptions.of(parameters)
        return cls(estimator_name, parameters, reading, architecture, is_partial)

    def __getitem__(self, name):
        return self.parameters[name]

    def for_data(self, reader, head, last=None):
        """The settings with the architecture that depends on what is read and learned.

        By default, strings and token lists are read in both directions if numbers are
        predicted: on held-out training data, the RMSE of solubility fell from 0.732 to
        0.696, that of lipophilicity from 0.704 to 0.677, and that of solvation energies
        from 1.130 to 1.096. For labels, it made names, questions and splice junctions
        worse.

        Parameters
        ----------
        reader : TokenReader or SeriesReader
        head : Head
        last : Architecture, default=None
            That of the fit to continue from.
        """
        is_tagging = head.task == "tagging"
        has_subwords = reader.kind != "series" and reader.subwords is not None
        settings = replace(self, has_tagged_words=is_tagging and has_subwords)
        if isinstance(self["bidirectional"], str):
            is_both = reader.kind != "series" and head.task == "regression"
            is_both |= head.task in ("tagging", "transduction")
            is_both &= self["truncate"] is None
            if last is not None:
                is_both = last.bidirectional
            _check_directions(is_both, self["truncate"])
            architecture = replace(self.architecture, bidirectional=is_both)
            settings = replace(settings, architecture=architecture)
        if self.architecture.n_frames:
            architecture = replace(settings.architecture, n_frames=head.n_frames)
            settings = replace(settings, architecture=architecture)
        return settings._for_filters(reader)

    def _for_filters(self, reader):
        """The settings with the filters that a reader asks for."""
        if reader.kind != "series" or not reader.kernel_sizes:
            return self
        if self["truncate"] is not None:
            raise ValueError(
                f"truncate={self['truncate']} cuts sequences into windows, but the "
                "last fit had filters, which read beyond them. Use truncate=None, or a "
                "new fit."
            )
        kernel_sizes = reader.kernel_sizes
        n_filters = 3 * math.ceil(_FILTERS * self.architecture.nhidden[0] / 3)
        architecture = replace(
            self.architecture,
            kernel_sizes=kernel_sizes,
            n_filters=max(n_filters, *map(len, kernel_sizes)),
            stride=reader.patch_length,
        )
        return replace(self, architecture=architecture)

    def plan(self, n_samples, n_steps=None, chance=None, loss="cross_entropy"):
        """The training plan, with "auto" resolved from the number of sequences.

        Parameters
        ----------
        n_samples : int
        n_steps : int, default=None
            Number of steps of all sequences, if each has a target: with `truncate`, a
            minibatch then has several updates.
        chance : float, default=None
            The loss of a guess that ignores X, if that says how far a fit should get.
        loss : str
            A module of :mod:`skrnn._core.losses`, or "ctc".

        Returns
        -------
        plan : Plan
        """
        batch_size, max_iter = self["batch_size"], self["max_iter"]
        truncate, max_norm = self["truncate"], self["max_grad_norm"]
        if batch_size == "auto":
            # A compromise between few updates with little noise and many with more.
            most = _MAX_BATCH_OF_WRITERS if self.architecture.writes else 128
            batch_size = min(most, max(8, math.isqrt(n_samples)))
        dropout, dropout_of_states = self._dropout(loss)
        n_held = 0
        if max_iter == "auto":
            n_updates_per_epoch = math.ceil(n_samples / batch_size)
            if n_steps is not None and truncate is not None:
                n_updates_per_epoch *= math.ceil(n_steps / n_samples / truncate)
            n_updates = _UPDATES
            if self.architecture.kernel_sizes:
                n_updates = _UPDATES_OF_FILTERS
            if self.architecture.decoder:
                n_updates = _UPDATES_OF_DECODERS
            if self.architecture.n_frames:
                n_updates = _UPDATES_OF_CTC
            n_epochs = math.ceil(n_updates / n_updates_per_epoch)
            max_iter = min(1000, max(12, n_epochs))
            if chance is not None and not self.is_partial:
                n_held = int(_WAITED * max_iter)
        return Plan(
            n_epochs=1 if self.is_partial else int(max_iter),
            batch_size=min(int(batch_size), n_samples),
            learning_rate=_as_float(self["learning_rate_init"]),
            weight_decay=_as_float(self["alpha"]),
            max_grad_norm=None if max_norm is None else _as_float(max_norm),
            tol=_as_float(self["tol"]),
            n_iter_no_change=self["n_iter_no_change"],
            # The number of chunks is not known in advance.
            schedule="constant" if self.is_partial else "one_cycle",
            dropout=dropout,
            dropout_of_states=dropout_of_states,
            recurrent_dropout=_as_float(self.parameters.get("recurrent_dropout", 0.0)),
            teacher_forcing=self._teacher_forcing(),
            n_held=n_held,
            loss_to_reach=0.0 if chance is None else _SHARE_OF_CHANCE * chance,
            # A density is never so high that it could not be higher.
            least_loss=-math.inf if loss == "gaussian_or_end" else 0.0,
            truncate=None if truncate is None else min(int(truncate), _MAX_STEPS),
        )

    def _teacher_forcing(self):
        """The probability of reading the true token, which only a decoder does."""
        has_decoder = bool(self.architecture.decoder)
        return _as_float(self["teacher_forcing"]) if has_decoder else 1.0

    def learns_end(self, n_samples, last):
        """Whether a language model learns where sequences end; None for the others.

        Parameters
        ----------
        n_samples : int
        last : LastFit or None
        """
        given = self.parameters.get("learn_end")
        if last is not None and given is not None:
            before = last.model.head.learns_end
            if given != "auto" and given != before:
                raise ValueError(
                    f"learn_end is {given}, but the last fit had learned "
                    f"{'' if before else 'not '}to predict the end. Use "
                    "learn_end='auto', or a new fit."
                )
            return before
        return n_samples > 1 if given == "auto" else given

    def n_streams(self, n_steps):
        """The number of streams into which a language model cuts long sequences."""
        if self["batch_size"] != "auto":
            return int(self["batch_size"])
        n_streams = n_steps // (_UPDATES_PER_EPOCH * self["truncate"])
        return min(_STREAMS[1], max(_STREAMS[0], n_streams))

    def _dropout(self, loss):
        """The probabilities for all inputs of layers, and for pooled states."""
        if self["dropout"] != "auto":
            return self["dropout"], self["dropout"]
        if self.has_tagged_words:
            return _DROPOUT_OF_WORDS, _DROPOUT_OF_WORDS
        if self.architecture.writes:
            return _DROPOUT_OF_WRITERS, _DROPOUT_OF_WRITERS
        # The squared error is far more precise without: on spectra, the RMSE was 1.11
        # with it, and 0.77 without.
        if self.architecture.kernel_sizes and loss != "squared_error":
            return _DROPOUT_BESIDE_FILTERS
        return 0.0, 0.0

    def seed(self):
        """The seed of the generator of a fit, from `random_state` as in scikit-learn.

        None draws from the operating system, not from NumPy's global generator.
        """
        random_state = self["random_state"]
        if random_state is None:
            random_state = np.random.RandomState()
        return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))

    def check_can_predict_next_step(self):
        """Raise if parameters are incompatible with predicting the next step.

        Raises
        ------
        ValueError
            If the network reads in two directions, or what later steps determine.
        """
        takes_y = "learn_end" not in self.parameters
        what, otherwise = ("Without y, the", ", or pass y") if takes_y else ("The", "")
        if self["standardize"] == "series":
            raise ValueError(
                f"{what} next step is predicted, but with standardize='series' each "
                "step is read beside the mean of the whole series. Use "
                f"standardize=True{otherwise}."
            )
        if not isinstance(self["kernel_sizes"], (str, NoneType)):
            raise ValueError(
                "Without y, the next step is predicted, but with kernel_sizes="
                f"{self['kernel_sizes']!r} each step is read beside those after it. "
                "Use kernel_sizes='auto' or None, or pass y."
            )
        if self.architecture.bidirectional:
            raise ValueError(
                "Without y, the next step is predicted, but with bidirectional=True "
                "the network has read it. Use bidirectional=False, or pass y."
            )

    def check_looks_back(self, reader):
        """Raise if what the last fit has learned to read is not for next steps.

        Raises
        ------
        ValueError
            If it reads windows or whole series.
        """
        if reader.kind == "series" and (reader.kernel_sizes or len(reader.own_mean)):
            raise ValueError(
                "Without y, the next step is predicted, but the last fit had y, and "
                "reads each step beside those after it. Use warm_start=False, or pass "
                "y."
            )


def _architecture(parameters):
    """The architecture of the network, from the parameters."""
    cell, layers = parameters["cell"], _layers("nhidden", parameters["nhidden"])
    for name, plain in (("activation", "tanh"), ("recurrence", "learned")):
        value = parameters[name]
        if cell != "rnn" and value != plain:
            raise ValueError(
                f"{name}={value!r} needs cell='rnn', but cell is {cell!r}: "
                f"its gates have functions and weights of their own. Use "
                f"{name}={plain!r}."
            )
    is_both = parameters["bidirectional"]
    is_both = not isinstance(is_both, str) and bool(is_both)  # "auto": once X is read
    _check_directions(is_both, parameters["truncate"])
    pooling = parameters["pooling"]
    if pooling == "auto":
        pooling = "last" if cell == "rnn" else "sum"
    decoder, attention = _decoder(parameters, layers[-1])
    return Architecture(
        nhidden=layers,
        cell=cell,
        activation=parameters["activation"],
        recurrence=parameters["recurrence"],
        bidirectional=is_both,
        pooling=pooling,
        condition=parameters.get("condition", "none"),
        decoder=decoder,
        attention=attention,
        # As many as it takes, once X and y are read.
        n_frames=1 if parameters.get("decoder") == "ctc" else 0,
    )


def _decoder(parameters, n):
    """The numbers of hidden units of a decoder, if there is one, and its attention."""
    if parameters.get("decoder") != "rnn":
        return (), None
    layers = parameters["decoder_nhidden"]
    if layers == "auto":
        layers = (math.ceil(1.5 * n),) * 2
    return _layers("decoder_nhidden", layers), parameters["attention"]


def _layers(name, given):
    """The numbers of hidden units of layers, from a parameter.

    Raises
    ------
    ValueError
    """
    layers = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if not layers or not all(isinstance(n, Integral) and n >= 1 for n in layers):
        raise ValueError(
            f"{name} is {given!r}: the numbers of hidden units of one or "
            "more layers were expected, such as (128, 64)."
        )
    return tuple(int(n) for n in layers)


def _check_directions(is_both, truncate):
    """Raise if sequences are to be read backwards, though they are cut."""
    if is_both and truncate is not None:
        raise ValueError(
            "truncate needs a network that reads in one direction. Use "
            "bidirectional=False or truncate=None."
        )


def _check(parameters):
    """Check what cannot be checked by type, or depends on several parameters."""
    check_ngram_range(parameters["ngram_range"])
    check_kernel_sizes(parameters["kernel_sizes"])
    are_given = not isinstance(parameters["kernel_sizes"], (str, NoneType))
    if parameters["truncate"] is not None and are_given:
        raise ValueError(
            "truncate cuts sequences into windows, but filters would read beyond them. "
            "Use kernel_sizes=None or truncate=None."
        )
    if parameters.get("transitions"):
        _check_transitions(parameters)
    if parameters.get("wide_ngram_range") is not None:
        check_ngram_range(parameters["wide_ngram_range"], "wide_ngram_range")
    if parameters["freeze_embeddings"] and parameters["embeddings"] is None:
        raise ValueError(
            "freeze_embeddings=True needs embeddings, which are None. Pass vectors, or "
            "use freeze_embeddings=False."
        )
    decay = _as_float(parameters["learning_rate_init"]) * _as_float(parameters["alpha"])
    if decay >= 1:
        raise ValueError(
            f"learning_rate_init * alpha is {decay:g}: it must be below 1, because "
            "weight decay scales the weights by 1 - learning_rate * alpha. Lower "
            "alpha."
        )


def _check_transitions(parameters):
    """Raise if transitions are to be learned of parts of sequences, or of some tags."""
    if parameters["truncate"] is not None:
        raise ValueError(
            "transitions=True needs whole sequences, which truncate cuts. Use "
            "truncate=None or transitions=False."
        )
    if parameters["class_weight"] is not None:
        raise ValueError(
            "With transitions=True, the loss is that of whole sequences, so that a tag "
            "has no weight of its own. Use class_weight=None or transitions=False."
        )


def _as_float(number):
    """A real number as a float, infinity in place of an integer that is too large."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def check_ngram_range(ngram_range, name="ngram_range"):
    """Raise for an `ngram_range` that is no range, though of the right type."""
    is_pair = isinstance(ngram_range, (tuple, list)) and len(ngram_range) == 2
    is_pair = is_pair and all(isinstance(n, Integral) for n in ngram_range)
    is_auto = isinstance(ngram_range, str) and ngram_range == "auto"
    if not (is_auto or (is_pair and 1 <= ngram_range[0] <= ngram_range[1])):
        raise ValueError(
            f"{name} is {ngram_range!r}: the smallest and the largest n "
            "were expected, such as (1, 3)."
        )


def check_kernel_sizes(kernel_sizes):
    """Raise for `kernel_sizes` that are none, though of the right type."""
    if kernel_sizes is None or isinstance(kernel_sizes, str):
        return
    layers = kernel_sizes if isinstance(kernel_sizes, (tuple, list)) else ()
    if layers and all(isinstance(size, Integral) for size in layers):
        layers = (kernel_sizes,)
    are_sizes = all(
        isinstance(layer, (tuple, list))
        and layer
        and all(isinstance(size, Integral) and size >= 1 for size in layer)
        for layer in layers
    )
    if not (layers and are_sizes):
        raise ValueError(
            f"kernel_sizes is {kernel_sizes!r}: numbers of steps were expected, such "
            "as (3, 9, 27), or a tuple of them for each layer of convolutions, such as "
            "((3, 9, 27), (9,))."
        )


def _check_partial(parameters):
    """Raise if parameters need all of the data."""
    if parameters["early_stopping"]:
        raise ValueError(
            "partial_fit does not support early_stopping=True: it has no epochs to "
            "stop after. Use early_stopping=False, and score sequences of your own."
        )
    if parameters["checkpoint"] is not None:
        raise ValueError(
            "partial_fit does not support a checkpoint: a call has no epochs to go on "
            "from. Use checkpoint=None, and save the estimator after calls, by joblib "
            "or pickle, to continue from its file."
        )
    if parameters.get("class_weight") == "balanced":
        raise ValueError(
            "class_weight='balanced' is not supported by partial_fit, which does not "
            "know how often each class will occur. Use a dict, with weights such as "
            "sklearn.utils.compute_class_weight computes from all labels."
        )
