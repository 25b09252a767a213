"""Checkpoints: files from which fits continue that were interrupted.

Each fit has a file of its own in the folder of the user, named by what the fit depends
on: the parameters and the data. So the same fit finds it again, whichever process it
was in, and other fits do not.
"""

import errno
import os
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from skrnn._checkpoint_file import deserialize, serialize
from skrnn._core.progress import Progress
from skrnn._core.schedule import Clock
from skrnn._digest import digest
from skrnn._files import write
from skrnn._reading.given import given_tokens, read_embeddings
from skrnn._version import __version__
from skrnn._warnings import warn

# Parameters that change nothing about what a fit learns, or that the digest has in
# another form.
_LEFT_OUT = {"checkpoint", "checkpoint_interval", "verbose", "warm_start"}
_LEFT_OUT |= {"beam_width", "length_penalty", "max_output_length"}
_LEFT_OUT |= {"random_state", "vocabulary", "embeddings"}
# The parts of a state of training that are lists of arrays.
_LISTS = ("trained", "best", "moments", "moments_of_vectors", "moments_of_wide")
_CURVES = ("loss_curve", "validation_losses", "validation_scores")
_OF_TRAINING = ("moments", "moments_of_vectors", "moments_of_wide", "moment_names")


def open_checkpoint(settings, data, last):
    """The checkpoint of a fit, which knows its seed.

    Parameters
    ----------
    settings : Settings
    data : tuple
        All that is learned from: samples, the head, validation data, and the names of
        parts of a ChunkedDataset, if the samples are not all.
    last : LastFit or None
        The fit to continue from.

    Returns
    -------
    checkpoint : Checkpoint or NoCheckpoint

    Raises
    ------
    OSError
        If there is no such folder, and it cannot be made.
    ValueError
        If that is no name of a folder, or if there is a file that cannot be continued
        from.
    """
    seed, folder = settings.seed(), settings["checkpoint"]
    if folder is None:
        return NoCheckpoint(seed)
    _check_name(folder)
    folder = Path(folder)
    with _about_folder(folder):
        if not folder.is_dir() and os.path.lexists(folder):
            raise NotADirectoryError(errno.ENOTDIR, "it is not a folder")
        folder.mkdir(parents=True, exist_ok=True)
    is_determined = settings["random_state"] is not None
    key = digest(
        [
            settings.estimator_name,
            seed if is_determined else None,
            {k: v for k, v in settings.parameters.items() if k not in _LEFT_OUT},
            _given(settings, data, last),
            data,
        ]
    )
    path = folder / f"{settings.estimator_name}-{key}.safetensors"
    interval = int(settings["checkpoint_interval"])
    return Checkpoint(path, key, interval, seed, is_determined)


def _given(settings, data, last):
    """What a fit starts from: the last one, or tokens and vectors of the user."""
    if last is not None:
        return {k: v for k, v in last.attributes.items() if k != "encoder_"}
    kind, reading = data[0].steps.kind, settings.reading
    given = []
    if reading.vocabulary is not None and kind != "series":
        given.append(given_tokens(reading.vocabulary, "vocabulary", kind))
    if reading.embeddings is not None and kind != "series":
        given.append(read_embeddings(reading.embeddings, kind))
    return given


def _check_name(folder):
    """Raise for what is no name of a folder."""
    name = os.fspath(folder)
    try:
        is_name = name and b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        is_name = False
    if not is_name:
        raise ValueError(
            f"checkpoint is {name!r}: the name of a folder was expected. Use '.' for "
            "the current one, or checkpoint=None."
        )


@contextmanager
def _about_folder(folder):
    """Errors of this block say which parameter they are about."""
    try:
        yield
    except OSError as error:
        raise OSError(
            error.errno,
            f"checkpoint is {str(folder)!r}, where no file can be written: "
            f"{error.strerror or error}. Use a folder with space in which you may "
            "write, or checkpoint=None.",
        ) from error


@dataclass(frozen=True, slots=True)
class NoCheckpoint:
    """Stands for the file of a fit that has none.

    Attributes
    ----------
    seed : int
        The seed of the fit.
    """

    seed: int

    def of_rank(self, rank):
        """The same, whichever process asks."""
        return self

    def resume(self, state, is_verbose, callbacks):
        """Leave a state as it is."""

    @contextmanager
    def saving(self, watch):
        """Leave a watch as it is."""
        yield watch

    def fit_is_over(self, progress):
        """There is nothing to remove."""


class Checkpoint:
    """The file from which a fit continues.

    Parameters
    ----------
    path : Path
    key : str
        The name of what the fit depends on.
    interval : int
        Number of epochs from one writing to the next.
    seed : int
        The seed of the fit, if there is no file yet.
    is_determined : bool
        Whether `random_state` determines the fit, so that it need not be done again.

    Raises
    ------
    OSError
        If there is a file that cannot be read.
    ValueError
        If it is not that of this fit.
    """

    def __init__(self, path, key, interval, seed, is_determined):
        self.path, self._key, self.interval = path, key, interval
        self._is_determined = is_determined
        self._is_read_only = False
        with self._about_file():
            self._saved = self._read()
        self.seed = seed if self._saved is None else self._saved["seed"]

    def of_rank(self, rank):
        """The checkpoint for a rank of a group, of which rank 0 alone writes it."""
        self._is_read_only = rank > 0
        return self

    def resume(self, state, is_verbose, callbacks):
        """Load the file into a state, or write the first one if there is none.

        Parameters
        ----------
        state : TrainingState
            The initial state of the fit.
        is_verbose : bool
            Whether to print what is done.
        callbacks : list of str
            Types of the callbacks of this fit. One that callbacks have ended is over if
            they are among these, and otherwise continues.

        Raises
        ------
        OSError
            If no file can be written.
        ValueError
            If the file is that of another network.
        """
        if self._saved is None and is_verbose and self._is_beside_others():
            folder = self.path.parent
            print(f"Beginning anew: checkpoints in {folder} are of other fits")
        if self._saved is not None:
            with self._about_file():
                state.load(self._saved)
                ended_by = set(self._saved["ended_by"])
            if ended_by and ended_by <= set(callbacks):
                state.progress.has_ended = True
            self._saved = None
            if is_verbose and state.progress is not None:
                print(self._what_was_done(state.progress))
        if self._is_read_only:
            return
        if state.progress is None or not state.progress.has_ended:
            with _about_folder(self.path.parent):
                self.write(self.parts_of(state))

    def _is_beside_others(self):
        """Whether the folder has checkpoints of other fits of the same class."""
        name = self.path.name.removesuffix(f"{self._key}.safetensors")
        return any(self.path.parent.glob(f"{name}*.safetensors"))

    def _what_was_done(self, progress):
        if progress.has_ended:
            return f"Read the fit, of {progress.n_done} epochs, from {self.path}"
        of = f"epoch {progress.n_done}/{progress.n_epochs}"
        return f"Continuing after {of}, from {self.path}"

    @contextmanager
    def saving(self, watch):
        """Write the file after epochs of this block, and the last one in any case.

        Parameters
        ----------
        watch : object
            See :meth:`skrnn._core.trainer.Trainer.run`.

        Yields
        ------
        watch : object
            The same, which also writes the file.
        """
        if self._is_read_only:
            yield watch
            return
        saving = _Saving(self, watch)
        try:
            yield saving
        finally:
            saving.write()

    def fit_is_over(self, progress):
        """Remove the file of a fit that is to be another one next time."""
        is_kept = self._is_determined or progress.interrupted
        if is_kept or self._is_read_only:
            return
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            warn(
                f"The checkpoint {self.path} could not be removed: "
                f"{error.strerror or error}. Remove it, or the next fit will be this "
                "one again.",
                UserWarning,
            )

    def parts_of(self, state, ended_by=()):
        """What the file has of a state, and the callbacks that ended it: copies."""
        saved = state.to_arrays() | {"ended_by": list(ended_by)}
        if state.progress is not None and state.progress.has_ended:
            # Nothing but the weights is needed any more.
            saved["trained"], saved["best"] = saved["best"] or saved["trained"], []
            saved |= {name: [] for name in _OF_TRAINING}
        return saved

    def write(self, saved):
        """Write the file; others see it complete, or as it was."""
        arrays = {"generator": saved["generator"]}
        for name in _LISTS:
            arrays |= {f"{name}.{i}": array for i, array in enumerate(saved[name])}
        content = {k: v for k, v in saved.items() if k not in {*_LISTS, *arrays}}
        content |= {"version": __version__, "key": self._key, "seed": self.seed}
        write(serialize(arrays, content), self.path)

    def _read(self):
        """The inverse of :meth:`write`; None if there is no file."""
        try:
            file = self.path.read_bytes()
        except FileNotFoundError:
            return None
        arrays, saved = deserialize(file)
        version = saved.get("version")
        if version != __version__:
            raise ValueError(
                f"it was written by skrnn {version!s:.20}, and this is {__version__}, "
                "which may compute something else"
            )
        if saved["key"] != self._key:
            raise ValueError("it is that of another fit")
        saved["generator"] = arrays["generator"]
        for name in _LISTS:
            n = sum(key.startswith(f"{name}.") for key in arrays)
            saved[name] = [arrays[f"{name}.{i}"] for i in range(n)]
        _check_numbers(saved)
        return saved

    @contextmanager
    def _about_file(self):
        """Errors of this block say which file is wrong, and what to do."""
        try:
            yield
        except (LookupError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"The checkpoint {self.path} cannot be continued from: "
                f"{str(error).rstrip('.')}. Delete it to start this fit anew."
            ) from error


class _Saving:
    """A watch that writes checkpoints.

    Parameters
    ----------
    checkpoint : Checkpoint
    watch : object
        Is called as well.
    """

    def __init__(self, checkpoint, watch):
        self._checkpoint, self._watch = checkpoint, watch
        self._unwritten = None  # the last complete epoch, if the file is older
        self._has_warned = False

    @property
    def is_alone(self):
        return self._watch.is_alone

    def epoch_begins(self):
        self._watch.epoch_begins()

    def epoch_ends(self, state):
        self._save(state)
        stop = self._watch.epoch_ends(state)
        if stop and not state.progress.has_ended:
            self._save(state, self._watch.callbacks())
        return stop

    def _save(self, state, ended_by=()):
        progress = state.progress
        if progress.diverged:  # the file has the epoch before
            return
        self._unwritten = self._checkpoint.parts_of(state, ended_by)
        is_due = progress.n_done % self._checkpoint.interval == 0
        if progress.has_ended or ended_by or is_due:
            self.write()

    def write(self):
        """Write what has not been written; warn if that fails, as the fit goes on."""
        if self._unwritten is None:
            return
        try:
            self._checkpoint.write(self._unwritten)
            self._unwritten = None
        except OSError as error:
            if not self._has_warned:
                self._has_warned = True
                warn(
                    f"The checkpoint {self._checkpoint.path} could not be written: "
                    f"{error.strerror or error}. The fit goes on without it, and tries "
                    "again after later epochs. Free space on the disk, or check the "
                    "permissions of the folder.",
                    UserWarning,
                )


def _check_numbers(saved):
    """Raise unless the numbers of a file are those that a state has."""
    counts = [saved[name] for name in ("seed", "n_steps", "n_minibatches")]
    is_known = True
    if "progress" in saved:
        progress = saved["progress"]
        expected = Progress(Clock(1), 1).to_dict()
        n_epochs, since, done, is_held = progress["clock"]
        counts += [saved["n_sequences"], progress["n_no_change"], n_epochs, since]
        curves = [progress[name] for name in _CURVES]
        numbers = [done, progress["_to_beat"], *progress["_best"], *chain(*curves)]
        is_known = progress.keys() == expected.keys() and all(
            type(flag) is bool for flag in (is_held, progress["has_ended"])
        )
        n_done = len(progress["loss_curve"])
        is_known &= all(len(curve) in (0, n_done) for curve in curves)
        is_known &= all(isinstance(number, (int, float)) for number in numbers)
        is_known &= n_done <= n_epochs > since
    ended_by = saved["ended_by"]
    is_known &= isinstance(ended_by, list) and all(type(of) is str for of in ended_by)
    is_known &= not ended_by or "progress" in saved
    if not is_known or any(type(n) is not int or n < 0 for n in counts):
        raise ValueError("its numbers are not those of a fit")
