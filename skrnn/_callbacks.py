"""Progress of a fit: scikit-learn's callbacks, and printed lines.

A fit is a task whose subtasks are its epochs. Everything that depends on scikit-learn's
callback protocol is in this module.
"""

import multiprocessing
from importlib.util import find_spec

from sklearn.callback import CallbackSupportMixin, ProgressBar, with_callbacks

__all__ = ["CallbackSupportMixin", "FitTask", "with_callbacks"]


class FitTask:
    """One fit, as callbacks see it.

    Parameters
    ----------
    estimator : estimator instance
    X, y, sample_weight
        As the user passed them. Validation data is not for callbacks, which pass all
        metadata on to scorers.
    attributes_of : callable
        ``attributes_of(fit)`` returns the attributes that the fit would set if it ended
        now.
    speaks : bool, default=True
        Whether `verbose` is heeded: of several processes, the first one speaks.
    """

    def __init__(self, estimator, X, y, sample_weight, attributes_of, speaks=True):
        self._estimator = estimator
        self._attributes_of = attributes_of
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._of = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._context = self._epoch = self._fit = None
        self._speaks, self._prints = speaks, False

    def begin(self, n_epochs, fit):
        """Call once all data is read and checked, before the first epoch.

        Parameters
        ----------
        n_epochs : int
            The maximum number of epochs.
        fit : Fit
            Always holds what has been learned so far.
        """
        self._fit = fit
        estimator = self._estimator
        callbacks = getattr(estimator, "_skl_callbacks", [])
        try:
            if self._wants_bar(callbacks):
                # For this fit only: its context keeps the list.
                estimator.set_callbacks(*callbacks, ProgressBar())
            else:
                self._prints = self.says()
            self._context = estimator._init_callback_context(max_subtasks=n_epochs)
        finally:
            estimator.set_callbacks(*callbacks)
        self._context.call_on_fit_task_begin(**self._of)
        for _ in range(fit.state.n_done):  # of the fit that is continued
            self._context.subcontext(task_name="epoch")

    def says(self):
        """Whether the user wants to be told what takes time."""
        return self._speaks and bool(self._estimator.verbose)

    def callbacks(self):
        """The types of the callbacks of the user, by name."""
        types = map(type, getattr(self._estimator, "_skl_callbacks", []))
        return sorted({f"{each.__module__}.{each.__qualname__}" for each in types})

    def epoch_begins(self):
        """Call before each epoch."""
        self._epoch = self._context.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._of)

    def epoch_ends(self, state):
        """Call after each epoch.

        Parameters
        ----------
        state : TrainingState

        Returns
        -------
        stop : bool
            Whether a callback wants the fit to end here.
        """
        if self._prints:
            print(state.progress)
        return self._epoch.call_on_fit_task_end(
            **self._of,
            reconstruction_attributes=lambda: self._attributes_of(self._fit),
        )

    def end(self):
        """Call once the estimator is fitted."""
        self._context.call_on_fit_task_end(**self._of)

    @property
    def is_alone(self):
        """Whether the fit is not part of another one, except of pipelines ending in it.

        If so, an interrupted fit keeps what it has learned. A search, by contrast,
        would continue with the next fit, and so would a worker process.
        """
        if multiprocessing.current_process().name != "MainProcess":
            return False
        context = self._context
        while context is not None:
            if context.source_task_name not in (None, "fit-final-estimator"):
                return False
            context = context.parent
        return True

    def _wants_bar(self, callbacks):
        """Whether `verbose` means scikit-learn's progress bar, not printed lines.

        A fit inside the fit of another estimator prints lines, because several bars
        would overwrite each other. To get one bar for all, set it on the outer one.
        """
        estimator = self._estimator
        return (
            self._speaks
            and estimator.verbose == 1
            and not hasattr(estimator, "_parent_callback_ctx")
            and not any(isinstance(callback, ProgressBar) for callback in callbacks)
            and find_spec("rich") is not None
        )
