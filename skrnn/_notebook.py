"""What a notebook shows of a fitted estimator, beneath scikit-learn's diagram."""

_OFFER = (
    '<p style="font-size: 0.9em">To type sequences and watch them being read: '
    '<code>skrnn.export.to_html(estimator, "page.html")</code> writes a page that any '
    "browser opens.</p>"
)


class OffersPage:
    """Mixin for estimators of which :func:`skrnn.export.to_html` makes a page."""

    def _repr_mimebundle_(self, **kwargs):
        """What IPython shows: a diagram, and how to get the page once there is one."""
        shown = super()._repr_mimebundle_(**kwargs)
        if "text/html" in shown and self._has_page():
            shown["text/html"] += _OFFER
        return shown

    def _has_page(self):
        """Whether the estimator is fitted to tokens, which a page could find."""
        of_functions = map(callable, (self.analyzer, self.strip_accents))
        return "vocabulary_" in vars(self) and not any(of_functions)
