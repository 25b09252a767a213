"""The loss of classes that exclude each other: -log softmax(scores)[target].

Its gradient with respect to the scores is softmax(scores) - one_hot(target).
"""

import math

from skrnn._core.compiled import compiled


@compiled
def loss_and_gradient(scores, target, weight):
    """Return the summed loss, and replace the scores by its gradient."""
    total = 0.0
    for i in range(len(scores)):
        s = scores[i]
        largest = s[0]
        for j in range(1, len(s)):
            # NaN is not larger than anything, but must not get lost.
            largest = s[j] if s[j] > largest or s[j] != s[j] else largest
        label = target[i]
        chosen = s[label] - largest
        # Without the largest score, exp would overflow; and log_softmax stays finite
        # where softmax would round to 0.
        of_all = 0.0
        for j in range(len(s)):
            s[j] = math.exp(s[j] - largest)
            of_all += s[j]
        total += weight[i] * (math.log(of_all) - chosen)
        factor = scores.dtype.type(weight[i] / of_all)
        for j in range(len(s)):
            s[j] *= factor
        s[label] -= weight[i]
    return total
