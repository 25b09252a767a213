"""Fitted estimators that are to be written in another form."""

from sklearn.utils.validation import check_is_fitted

from skrnn._core import public
from skrnn._messages import describe

# What page/network.js and graphs of ONNX compute.
KNOWN = {
    "cell": ("rnn", "gru", "lstm"),
    "activation": ("tanh", "relu", "identity"),
    "pooling": ("last", "mean", "max", "concat", "sum"),
}


def model_of(estimator, classes, where):
    """The model of a fitted estimator, and how it reads X, if both can be exported.

    Parameters
    ----------
    estimator : object
        As the user passed it.
    classes : tuple of type
        Those that can be exported.
    where : str
        To what, for messages: "to a page".

    Returns
    -------
    fitted : estimator
        A copy, which no other thread changes.
    model : Model
    options : ReadingOptions

    Raises
    ------
    TypeError
        If the estimator is of another class.
    ValueError
        If parameters or fitted attributes have been set to values that `fit` refuses
        or would not have set.
    NotFittedError
        If it is not fitted.
    """
    if type(estimator) not in classes:
        *names, last = (cls.__name__ for cls in classes)
        raise TypeError(
            f"{describe(estimator)} cannot be exported {where}: an "
            f"{', '.join(names)} or {last} was expected. For a pipeline, pass its "
            "skrnn step; for an ensemble, one of its estimators_; for other estimators "
            "of skrnn, use save_safetensors."
        )
    fitted = estimator._at_this_moment()
    check_is_fitted(fitted)
    fitted._check_parameters()
    fitted._check_fitted(fitted._fitted())
    model, schema = fitted._model_and_schema()
    vectors = getattr(model.reader, "vectors", None)
    public.check_shapes(model.architecture, model.arrays, vectors)
    model.check_outputs()
    return fitted, model, schema.options


def check_network(function, name, architecture, known=KNOWN):
    """Raise for a network that another program cannot compute.

    Parameters
    ----------
    function : str
        The one that exports it.
    name : str
        The class of the estimator.
    architecture : Architecture
    known : dict, default=KNOWN
        The values of each attribute that can be computed.

    Raises
    ------
    ValueError
    """
    for what, values in known.items():
        value = getattr(architecture, what)
        if value not in values:
            raise ValueError(
                f"{function} knows the values {', '.join(values)} of {what}, but this "
                f"{name} has {what}={value!r}. Use one of them, or save_safetensors."
            )
