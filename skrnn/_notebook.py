"""What a notebook shows of a fitted estimator, beneath scikit-learn's diagram."""

from skrnn._reading.typed import not_typed

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
        """Whether :func:`skrnn.export.to_html` writes one."""
        if "vocabulary_" not in vars(self) or OffersPage not in type(self).__bases__:
            return False
        try:
            model, schema = self._at_this_moment()._model_and_schema()
            return not_typed(model.reader, schema.options) == (None, None)
        except Exception:  # attributes were changed: to_html says which
            return False
