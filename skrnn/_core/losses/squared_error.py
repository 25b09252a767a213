"""Half the squared error, (scores - target) ** 2 / 2, averaged over the outputs."""

from skrnn._core.compiled import compiled


@compiled
def loss_and_gradient(scores, target, weight):
    """Return the summed loss, and replace the scores by its gradient."""
    total = 0.0
    for i in range(len(scores)):
        s, factor = scores[i], weight[i] / scores.dtype.type(scores.shape[1])
        for j in range(len(s)):
            error = s[j] - target[i, j]
            s[j] = factor * error
            total += error * s[j]
    return total / 2
