"""Continuing from the last fit: what `warm_start` and `partial_fit` carry over."""

from dataclasses import asdict, dataclass

import numpy as np

from skrnn._core import public
from skrnn._core.execution import CPU
from skrnn._core.updates.moments import Moments
from skrnn._core.vocabulary import check_ids
from skrnn._model import Model
from skrnn._reading.schema import Schema

_OF_VECTORS = "vectors_"
# Parts of the architecture that follow from the data and from other parts.
_LEARNED = ("n_filters", "stride", "n_frames")
_OF_WIDE = "wide_square"


def _with_tuples(value):
    """A parameter with tuples in place of lists, which mean the same."""
    is_list = isinstance(value, (list, tuple))
    return tuple(map(_with_tuples, value)) if is_list else value


def _by_parameter(architecture):
    """The parts of an architecture by the names of the parameters that decide them."""
    parts = asdict(architecture)
    layers = parts.pop("decoder")
    decoder = "ctc" if architecture.n_frames else "rnn"
    return {"decoder": decoder, "decoder_nhidden": layers, **parts}


@dataclass(frozen=True, slots=True)
class LastFit:
    """The last fit, from which the next one continues.

    Attributes
    ----------
    attributes : dict
        The attributes of the estimator.
    schema : Schema
    model : Model
    is_partial : bool
        Whether `partial_fit` continues from it, as opposed to a warm start.
    """

    attributes: dict
    schema: Schema
    model: Model
    is_partial: bool

    @property
    def loss_curve(self):
        """The losses of earlier epochs, to which this fit adds its own."""
        return self.attributes["loss_curve_"] if self.is_partial else []

    def check_same_network(self, settings):
        """Raise if the last weights have another meaning under the current parameters.

        Raises
        ------
        ValueError
            If such a parameter has changed.
        """
        what, instead = "warm_start=True", "warm_start=False"
        if self.is_partial:
            what, instead = "partial_fit", "a new fit"
        had_vectors = "embeddings_" in self.attributes
        if had_vectors != (settings.reading.embeddings is not None):
            had, cure = (
                ("embeddings", "them again")
                if had_vectors
                else ("no embeddings", "embeddings=None")
            )
            raise ValueError(
                f"{what} continues from the last fit, which had {had}. "
                f"Use {cure}, or {instead}."
            )
        of_last = _by_parameter(self.model.architecture)
        before = {**of_last, **self.schema.options.kept()}
        before["transitions"] = self.model.head.has_transitions
        now = {**_by_parameter(settings.architecture), **settings.reading.kept()}
        now["transitions"] = settings.parameters.get("transitions", False)
        sizes = "kernel_sizes"  # "auto" is None for tokens; earlier versions kept none
        if self.model.reader.kind != "series" and now[sizes] == "auto":
            before[sizes] = "auto"
        if isinstance(settings["bidirectional"], str):  # as in the last fit
            now["bidirectional"] = before["bidirectional"]
        reader, wide = self.model.reader, self.model.reader.wide
        is_series = reader.kind == "series"
        for name in ("wide_ngram_range", "n_wide_features"):
            wanted = getattr(settings.reading, name)
            if wanted == "auto":  # as in the last fit
                continue
            is_of_kind = is_series == (name == "n_wide_features")
            before[name] = wide.setting if wide is not None and is_of_kind else None
            now[name] = tuple(wanted) if isinstance(wanted, list) else wanted
        for name, value in now.items():
            if name in _LEARNED or _with_tuples(value) == _with_tuples(before[name]):
                continue
            raise ValueError(
                f"{what} continues from the last fit, whose {name} was "
                f"{before[name]!r}, but now it is {value!r}. Use the same, or "
                f"{instead}."
            )

    def check_steps(self, steps):
        """Raise if the last fit had no weights for such steps.

        Raises
        ------
        ValueError
            If attributes were edited since.
        """
        self.model.check(self.model.head.begun(steps))
        reader = self.model.reader
        if reader.kind == "series":
            return
        table, n = self.model.table
        reader.check_vectors(n, table)
        if reader.vectors is not None:
            check_ids(reader.given_ids, n, "_given_ids", table)

    def load_weights(self, weights, head, wide=None):
        """Start from the weights of the last fit.

        Output weights are copied for the classes, tokens or numbers that the last fit
        has also learned to predict.

        Parameters
        ----------
        weights : Weights
            The initial weights, which are overwritten in place.
        head : Head
            What is to be learned.
        wide : Tensor of shape (n_columns, n_outputs), default=None
            The weights of the wide path, if there is one. Overwritten.
        """
        last = public.from_public(weights.architecture, self.model.arrays)
        of_chain = {name for name, _ in weights.layout.of_chain}  # by label: see below
        for layer, old in zip(weights.all_layers(), last.all_layers(), strict=True):
            layer.U.copy_(old.U)
            layer.W.copy_(old.W)
            layer.b.copy_(old.b)
        pairs = zip(weights.all_filters(), last.all_filters(), strict=True)
        for (F, f), (old_F, old_f) in pairs:
            F.copy_(old_F)
            f.copy_(old_f)
        for name, part in weights.others.items():
            if name in last.others.keys() - of_chain:
                part.copy_(last.others[name])
        last_head = self.model.head
        is_same_task = last_head.task == head.task
        if not is_same_task or weights.V.shape[1] != last.V.shape[1]:
            return
        rescaled = head.rescaled(last.V, last.c, last_head)
        if rescaled is not None:
            V, c = rescaled
            rows, last_rows = head.rows_in_common(last_head)
            weights.V[rows] = V[last_rows]
            weights.c[rows] = c[last_rows]
            for part, old in zip(weights.chain, last.chain, strict=True):
                part[np.ix_(*part.ndim * [rows])] = old[
                    np.ix_(*part.ndim * [last_rows])
                ]
            if wide is not None:
                coef = CPU.tensor(np.ascontiguousarray(self.model.wide_coef))
                coef, _ = head.rescaled(coef, last.c, last_head)
                wide.T[rows] = coef[last_rows]

    def moments(self, generator, ids):
        """The moments to continue from; also sets the state of the generator.

        Parameters
        ----------
        generator : torch.Generator
        ids : ndarray of int or None
            The tokens whose vectors are trained.

        Returns
        -------
        moments : Moments or None
            None unless the last call was one of `partial_fit`.
        """
        saved = self.attributes.get("_training") if self.is_partial else None
        if saved is None:
            return None
        of_vectors = [name for name in saved if name.startswith(_OF_VECTORS)]
        others = ("generator", "n_steps", _OF_WIDE, *of_vectors)
        names = tuple(name for name in saved if name not in others)
        of_wide = [saved[_OF_WIDE].copy()] if _OF_WIDE in saved else []
        try:
            generator.set_state(CPU.tensor(saved["generator"].copy()))
            return Moments(
                names,
                tuple(CPU.tensor(saved[name].copy()) for name in names),
                saved["n_steps"],
                tuple(CPU.tensor(saved[name][ids]) for name in of_vectors),
                tuple(map(CPU.tensor, of_wide)),
            )
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError) as error:
            raise ValueError(
                f"_training does not hold the state of a training: {error}. Undo its "
                "changes since the last call of partial_fit, or fit again."
            ) from error


def is_generator_state(state):
    """Whether an array is the state of a generator of random numbers."""
    if not isinstance(state, np.ndarray) or state.dtype != np.uint8:
        return False
    try:
        CPU.generator().set_state(CPU.tensor(state.copy()))
    except (RuntimeError, TypeError):
        return False
    return True


def without_wide(saved):
    """What :func:`saved_training` returned, for the network without the wide path."""
    return {name: part for name, part in saved.items() if name != _OF_WIDE}


def saved_training(state, inputs, vectors, last):
    """The state from which the next call of `partial_fit` continues.

    Parameters
    ----------
    state : TrainingState
    inputs : Inputs
    vectors : ndarray or None
        The vectors of all tokens; `inputs` has some of them.
    last : LastFit or None

    Returns
    -------
    saved : dict
        Arrays and a number, which every file format can store.
    """
    moments = state.moments
    saved = {"generator": CPU.array(state.generator.get_state())}
    saved |= dict(zip(moments.names, map(CPU.array, moments.flat), strict=True))
    if moments.of_wide:
        saved[_OF_WIDE] = CPU.array(moments.of_wide[0])
    saved["n_steps"] = moments.n_steps
    before = (last and last.attributes.get("_training")) or {}
    if not moments.of_vectors:
        return saved
    for name, part in zip(moments.names, moments.of_vectors, strict=True):
        name = _OF_VECTORS + name
        table = before[name].copy() if name in before else np.zeros_like(vectors)
        table[inputs.ids] = CPU.array(part)
        saved[name] = table
    return saved
