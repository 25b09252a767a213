"""The loss of yes-or-no questions, averaged over the outputs.

-log sigmoid(s) for a target of 1, -log sigmoid(-s) = -log sigmoid(s) + s for 0. The
gradient with respect to the scores is sigmoid(s) - target.
"""

import math

from skrnn._core.compiled import compiled


@compiled
def loss_and_gradient(scores, target, weight):
    """Return the summed loss, and replace the scores by its gradient."""
    total = 0.0
    one = scores.dtype.type(1)
    for i in range(len(scores)):
        s, factor = scores[i], weight[i] / scores.dtype.type(scores.shape[1])
        for j in range(len(s)):
            small = math.exp(-abs(s[j]))  # cannot overflow
            # softplus(s) = log(1 + exp(s)) = max(s, 0) + log(1 + exp(-|s|))
            softplus = math.log1p(small) + (s[j] if s[j] > 0 else s[j] - s[j])
            total += factor * (softplus - s[j] * target[i, j])
            of_negative = small / (one + small)
            sigmoid = one - of_negative if s[j] > 0 else of_negative
            s[j] = factor * (sigmoid - target[i, j])
    return total
