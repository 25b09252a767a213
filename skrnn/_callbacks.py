"""What a fit shows of itself while it goes on: scikit-learn's callbacks, and lines.

A fit is a task whose subtasks are its epochs. All that knows scikit-learn's callback
protocol is here.
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
        As the user passed them.
    """

    def __init__(self, estimator, X, y, sample_weight):
        self._estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._of = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._context = self._epoch = self._fitted_attributes = None
        self._prints = False

    def begin(self, n_epochs, fitted_attributes):
        """Call when all is read and checked, before the first epoch.

        Parameters
        ----------
        n_epochs : int
            At most.
        fitted_attributes : callable
            ``fitted_attributes(progress)`` returns them as if the fit ended now.
        """
        self._fitted_attributes = fitted_attributes
        estimator = self._estimator
        callbacks = getattr(estimator, "_skl_callbacks", [])
        if self._wants_bar(callbacks):
            # For this fit only: its context keeps the list.
            estimator.set_callbacks(*callbacks, ProgressBar())
        else:
            self._prints = bool(estimator.verbose)
        try:
            self._context = estimator._init_callback_context(max_subtasks=n_epochs)
        finally:
            estimator.set_callbacks(*callbacks)
        self._context.call_on_fit_task_begin(**self._of)

    def epoch_begins(self):
        """Call before each epoch."""
        self._epoch = self._context.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._of)

    def epoch_ends(self, progress):
        """Call after each epoch.

        Parameters
        ----------
        progress : Progress

        Returns
        -------
        stop : bool
            Whether a callback wants the fit to end here.
        """
        if self._prints:
            print(progress)
        return self._epoch.call_on_fit_task_end(
            **self._of,
            reconstruction_attributes=lambda: self._fitted_attributes(progress),
        )

    def end(self):
        """Call when the estimator is fitted."""
        self._context.call_on_fit_task_end(**self._of)

    @property
    def is_alone(self):
        """Whether nothing but pipelines that end with it are being fitted around it.

        Then what an interrupted fit has learned is kept. A search would go on with the
        next fit, and so would a process that works for another one.
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
        """Whether `verbose` means scikit-learn's progress bar, not lines.

        Fits inside that of another estimator print lines: bars of their own would run
        over each other. A bar for all is set on the outer one.
        """
        estimator = self._estimator
        return (
            estimator.verbose == 1
            and not hasattr(estimator, "_parent_callback_ctx")
            and not any(isinstance(callback, ProgressBar) for callback in callbacks)
            and find_spec("rich") is not None
        )
