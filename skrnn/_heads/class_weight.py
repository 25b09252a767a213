"""The weights of the sequences, multiplied by those of their classes."""

import numpy as np
from sklearn.utils import compute_class_weight

from skrnn._messages import as_plain


def weigh_classes(class_weight, y, sample_weight, classes):
    """The weights of the sequences, multiplied by those of their classes.

    Parameters
    ----------
    class_weight : dict of class -> weight or "balanced"
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    sample_weight : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If y holds several labels, or a weight is not a number of at least 0.
    """
    if y.ndim > 1:
        raise several_labels(class_weight, y.shape[1])
    labels = np.searchsorted(classes, y)
    sample_weight = sample_weight / sample_weight.max()  # a product could overflow
    totals = np.bincount(labels, sample_weight, len(classes))
    factors = class_factors(class_weight, classes, totals)
    weighted = sample_weight * (factors / (factors.max() or 1.0))[labels]
    if not weighted.any():
        raise ValueError(
            "class_weight is 0 for all classes that have sequences: at least one above "
            "0 was expected."
        )
    return weighted


def several_labels(class_weight, n_labels):
    """The error if `class_weight` is passed, and sequences have several labels."""
    return ValueError(
        f"class_weight is {class_weight!r}, but y has {n_labels} labels for each "
        "sequence. Use class_weight=None, and sample_weight for single sequences."
    )


def class_factors(class_weight, classes, totals):
    """By what the weight of a sequence of each class is to be multiplied.

    Parameters
    ----------
    class_weight : dict of class -> weight or "balanced"
    classes : ndarray of shape (n_classes,)
        Sorted.
    totals : ndarray of shape (n_classes,)
        The sums of the weights of their sequences.

    Returns
    -------
    factors : ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        If a weight is not a number of at least 0.
    """
    if class_weight == "balanced":
        # A class without used sequences gets no weight.
        factors = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    else:
        factors = compute_class_weight(class_weight, classes=classes, y=classes)
    for label, factor in zip(classes, factors, strict=True):
        if not (np.isfinite(factor) and factor >= 0):
            raise ValueError(
                f"class_weight has {factor} for {as_plain(label)!r}: a finite number "
                "of at least 0 was expected."
            )
    return factors
