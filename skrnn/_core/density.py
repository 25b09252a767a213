"""The density of the next step of a series that may also end.

For d standardised numbers, the scores are (e, m_1, ..., m_d, l_1, ..., l_d):

    p(end) = sigmoid(e),
    p(y) = (1 - p(end)) N(y_1; m_1, v_1) ... N(y_d; m_d, v_d),    v_j = f + exp(l_j).

The floor f of the variance keeps the density finite if a number can be predicted
without an error, as that of a constant.
"""

import math

import numpy as np

from skrnn._core.beam import mean_log_p

# A standard deviation of 1 % of that in the training data.
FLOOR = 1e-4
LOG_FLOOR = math.log(FLOOR)


def n_scores(n_features):
    """The number of scores for so many numbers per step."""
    return 1 + 2 * n_features


def split(scores):
    """The parts of scores, in float64.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_scores)

    Returns
    -------
    end : ndarray of shape (n_rows,)
        The log-odds of the end.
    mean, log_variance : ndarrays of shape (n_rows, n_features)
    """
    scores = scores.astype(np.float64)
    end, n = scores[:, 0], scores.shape[1] // 2
    # log(f + exp(l)), which cannot overflow
    return end, scores[:, 1 : 1 + n], np.logaddexp(scores[:, 1 + n :], LOG_FLOOR)


def losses(scores, target):
    """Minus the logarithm of the density of each step.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_scores)
    target : ndarray of shape (n_rows, 1 + n_features)
        1 where a series ends, where the numbers are arbitrary; or 0 and the numbers.

    Returns
    -------
    losses : ndarray of shape (n_rows,), float64
    """
    end, mean, log_variance = split(scores)
    is_end, y = target[:, 0] == 1, target[:, 1:]
    of_end = np.logaddexp(0, np.where(is_end, -end, end))
    error = np.square(y - mean) / np.exp(log_variance)
    of_numbers = (math.log(2 * math.pi) + log_variance + error).sum(axis=1) / 2
    return np.where(is_end, of_end, of_end + of_numbers)


def mixed(densities):
    """The density of the next step by several networks: their mixture in equal parts.

    p(end) is their mean. The numbers have the mean and the variance that the mixture
    has, if the series goes on.

    Parameters
    ----------
    densities : list of tuples (end, mean, sd)
        By each network, as :func:`draw` takes them.

    Returns
    -------
    end, mean, sd : ndarrays
    """
    end, mean, sd = map(np.array, zip(*densities, strict=True))
    log_p_end, log_p_step = -np.logaddexp(0, -end), -np.logaddexp(0, end)
    together = mean_log_p(log_p_step)
    weight = np.exp(log_p_step - together)[:, :, np.newaxis] / len(densities)
    center = (weight * mean).sum(axis=0)
    # Squares could overflow.
    sd = np.hypot.reduce(np.sqrt(weight) * np.hypot(sd, mean - center))
    return mean_log_p(log_p_end) - together, center, sd


def draw(end, mean, sd, temperature, noise):
    """Draw whether series end, and the numbers of their next step if they do not.

    Parameters
    ----------
    end : ndarray of shape (n_rows,)
        The log-odds of the end.
    mean, sd : ndarrays of shape (n_rows, n_features)
    temperature : float
        The log-odds of the end are divided by it, and variances multiplied. At 0, a
        series ends if that is likelier than not, and the numbers are the means.
    noise : ndarray of shape (n_rows, 1 + n_features)
        Random numbers: in the first column, of the standard logistic distribution; in
        the others, of the standard normal distribution.

    Returns
    -------
    is_end : ndarray of shape (n_rows,), bool
    y : ndarray of shape (n_rows, n_features)
    """
    y = mean + np.sqrt(temperature) * sd * noise[:, 1:]
    return end > temperature * noise[:, 0], y


def scores_of(p_end, mean, variance):
    """The scores of one step whose density is known, the inverse of :func:`split`.

    Parameters
    ----------
    p_end : float
    mean, variance : ndarrays of shape (n_features,)
        One of at most the floor, as of a constant, is replaced by 1.

    Returns
    -------
    scores : ndarray of shape (n_scores,)
    """
    rounding = np.finfo(np.float64).eps
    p_end = min(max(p_end, rounding), 1 - rounding)
    end = math.log(p_end / (1 - p_end))
    above = np.where(variance > FLOOR, variance, 1.0) - FLOOR
    return np.concatenate([[end], mean, np.log(above)])
