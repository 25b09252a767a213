"""A callback of scikit-learn that does nothing, for those that do one thing."""


class Quiet:
    """Its subclasses say what happens at the end of a task."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass
