"""Everything that changes during a fit."""

import numpy as np
import torch

from skrnn._core.execution import CPU
from skrnn._core.progress import Progress
from skrnn._core.schedule import Clock
from skrnn._core.updates.moments import Moments


class TrainingState:
    """Everything that changes during a fit; nothing else does.

    Callbacks receive it after each epoch. It is restored to the end of the last
    complete epoch when the user interrupts training, or when training diverges. With a
    validation score, it ends with the best weights.

    Parameters
    ----------
    weights : Weights
        Initial weights; trained in place.
    generator : torch.Generator
        Source of everything random: the order of the samples, hidden tokens, dropout.
    embeddings : Embeddings, default=None
        Vectors that the network reads instead of tokens; trained in place.
    moments : Moments, default=None
        The moments of an earlier training to continue from. Overwritten.
    wide : Tensor of shape (n_columns, n_outputs), default=None
        The weights of the wide path, if there is one; trained in place.

    Raises
    ------
    ValueError
        If the moments are not of these weights and embeddings.

    Attributes
    ----------
    n_minibatches : int
        Number of minibatches so far.
    progress : Progress or None
        None before the first epoch.
    trained : list of Tensor
        All that is trained.
    """

    def __init__(self, weights, generator, embeddings=None, moments=None, wide=None):
        self.weights = weights
        self.embeddings = embeddings
        self.wide = wide
        self.generator = generator
        self.n_minibatches = 0
        self.progress = None
        self._moments = self._checked(moments)
        self._updates = None  # holds the moments during training
        self.trained = [weights.flat]
        if embeddings is not None:
            self.trained.append(embeddings.vectors)
        if wide is not None:
            self.trained.append(wide)
        self._before = self._best = self._spare = None
        self._n_begun = 0
        self._is_whole = True  # whether all parts are of the same moment
        self._is_training = False

    def begin(self, clock, n_sequences, updates_for):
        """Call before the first epoch.

        Parameters
        ----------
        clock : Clock
        n_sequences : int
            See :class:`skrnn._core.progress.Progress`. A state that was loaded goes on
            by its own clock.
        updates_for : callable
            ``updates_for(moments)`` returns the object that updates the weights.
        """
        if self.progress is None:
            self.progress = Progress(clock, n_sequences)
        self._n_begun = self.progress.n_done
        self._updates = updates_for(self.moments)
        self._is_training = True
        self._before = [torch.empty_like(tensor) for tensor in self.trained]
        return self._updates

    def end(self):
        """Call after the last epoch: restore the best weights, and free memory."""
        self.restore_best()
        self._before = self._spare = None
        self._is_training = False

    def epoch_begins(self):
        """Save the weights from before an epoch."""
        _copy(self.trained, self._before)
        self._n_begun += 1

    def undo_epoch(self):
        """Restore the weights from before this epoch, but nothing else."""
        _copy(self._before, self.trained)
        self._is_whole = False

    def undo_incomplete_epoch(self):
        """Restore the end of the last complete epoch, if another one has begun."""
        n_complete = self.progress.n_done
        if n_complete < self._n_begun:
            self.undo_epoch()
        self.progress.forget_after(n_complete)

    def keep_as_best(self):
        """Save the weights as the best so far."""
        copy = self._spare or [torch.empty_like(each) for each in self.trained]
        _copy(self.trained, copy)
        self._spare, self._best = self._best, copy

    def restore_best(self):
        """Restore the best weights, if any were saved."""
        if self._best is not None:
            _copy(self._best, self.trained)

    @property
    def n_done(self):
        """Number of complete epochs."""
        return 0 if self.progress is None else self.progress.n_done

    @property
    def is_finite(self):
        """Whether no weight is NaN or infinite."""
        return all(map(_is_finite, self.trained))

    @property
    def moments(self):
        """The moments of the update rule, after an epoch."""
        return self._moments if self._updates is None else self._updates.moments()

    def to_arrays(self, execution=CPU):
        """Return the state between two epochs as arrays, numbers and lists.

        Returns
        -------
        saved : dict
            Copies, by name; :meth:`load` continues from them.

        Raises
        ------
        RuntimeError
            After an epoch that was undone: its moments and random numbers were not.
        """
        if not self._is_whole:
            raise RuntimeError(
                "This state is not to be saved: its last epoch was undone, but not its "
                "moments. Save it after each complete epoch."
            )
        moments = self.moments
        parts = {"trained": self.trained, "best": self._best or []}
        parts["moments"] = () if moments is None else moments.flat
        parts["moments_of_vectors"] = () if moments is None else moments.of_vectors
        parts["moments_of_wide"] = () if moments is None else moments.of_wide
        saved = {
            name: [execution.array(tensor).copy() for tensor in tensors]
            for name, tensors in parts.items()
        }
        saved["n_steps"] = 0 if moments is None else moments.n_steps
        saved["moment_names"] = [] if moments is None else list(moments.names)
        saved["generator"] = self.generator.get_state().numpy()
        saved["n_minibatches"] = self.n_minibatches
        if self.progress is not None:
            saved["progress"] = self.progress.to_dict()
            saved["n_sequences"] = self.progress.n_sequences
        return saved

    def load(self, saved, execution=CPU):
        """Continue from the result of :meth:`to_arrays`; shapes must match.

        Raises
        ------
        RuntimeError
            During training, which keeps moments and token vectors of its own.
        ValueError
            If weights or moments have other shapes.
        """
        if self._is_training:
            raise RuntimeError(
                "A state can be loaded before and after training, not during it."
            )

        def tensors(name):
            return [execution.tensor(np.array(array)) for array in saved[name]]

        trained, best = tensors("trained"), tensors("best")
        for weights in (trained, best or trained):
            _check_like("weights", zip(weights, self.trained, strict=True))
        _copy(trained, self.trained)
        self._best = best or None
        flat, of_vectors = tensors("moments"), tensors("moments_of_vectors")
        of_wide = tensors("moments_of_wide")
        self._moments = None
        if flat:
            names, n_steps = tuple(saved["moment_names"]), saved["n_steps"]
            of_others = tuple(of_vectors), tuple(of_wide)
            moments = Moments(names, tuple(flat), n_steps, *of_others)
            self._moments = self._checked(moments)
        self.generator.set_state(execution.tensor(saved["generator"].copy()))
        self.n_minibatches = saved["n_minibatches"]
        if "progress" in saved:
            clock = Clock(*saved["progress"]["clock"])
            self.progress = Progress(clock, saved["n_sequences"])
            self.progress.load(saved["progress"])
        self._is_whole, self._updates = True, None

    def _checked(self, moments):
        """The moments, unless they are of another network; kernels do not check it."""
        if moments is None:
            return None
        n = len(moments.names)
        n_of_vectors = 0 if self.embeddings is None else n  # none if they are fixed
        if (
            len(moments.flat) != n
            or len(moments.of_vectors) not in (0, n_of_vectors)
            or len(moments.of_wide) != (self.wide is not None)
        ):
            raise ValueError(
                "Training was to continue from moments that are not complete. Continue "
                "from the state of the same network, or fit again."
            )
        pairs = [(moment, self.weights.flat) for moment in moments.flat]
        pairs += [(moment, self.embeddings.vectors) for moment in moments.of_vectors]
        pairs += [(moment, self.wide) for moment in moments.of_wide]
        _check_like("moments", pairs)
        return moments


def _check_like(what, pairs):
    """Raise unless the first tensor of each pair has the shape of the second one."""
    for tensor, like in pairs:
        if (tensor.shape, tensor.dtype) != (like.shape, like.dtype):
            raise ValueError(
                f"Training was to continue from {what} of shape {tuple(tensor.shape)} "
                f"and {tensor.dtype}, but the weights have the shape "
                f"{tuple(like.shape)} and {like.dtype}. Continue from the state of the "
                "same network, or fit again."
            )


def _copy(tensors, others):
    for tensor, other in zip(tensors, others, strict=True):
        other.copy_(tensor)


def _is_finite(tensor):
    """Whether no entry is NaN or infinite."""
    # The sum is finite only if all entries are, and takes a tenth of the time.
    return bool(torch.isfinite(tensor.sum()) or torch.isfinite(tensor).all())
