"""Points in the plane in which they vary most."""

import numpy as np
from sklearn.decomposition import PCA

from skrnn._messages import counted
from skrnn.inspection._drawing import without_frame


def in_plane(points, what):
    """Project points onto their first two principal components.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_dimensions)
    what : str
        What the points are, for the error.

    Returns
    -------
    projected : ndarray of shape (n_points, 2)
    shares : ndarray of shape (2,)
        The share of the variance along each axis.
    """
    if min(points.shape) < 2:
        raise ValueError(
            f"{counted(points.shape[0], what)} of {points.shape[1]} numbers cannot be "
            "drawn in a plane: at least 2 of at least 2 numbers are needed."
        )
    pca = PCA(n_components=2, svd_solver="full")
    with np.errstate(invalid="ignore"):  # if all points are the same
        projected = pca.fit_transform(points.astype(np.float64))
    return projected, np.nan_to_num(pca.explained_variance_ratio_)


def label_plane(ax, shares):
    """Label the axes of a plane by the shares of the variance along them."""
    names = [f"principal axis {k}" for k in (1, 2)]
    if shares is not None:
        names = [f"{name} ({s:.0%})" for name, s in zip(names, shares, strict=True)]
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.margins(0.12)
    without_frame(ax)
