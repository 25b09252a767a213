"""The cross entropy, and some of that of all classes, which keeps scores moderate [1]_.

    w_0 (-log p[target]) + w_1 mean_k (-log p[k]),    p = softmax(scores)

Each row has two weights: for a weight w and a smoothing e, w_0 = w (1 - e), w_1 = w e.
The gradient with respect to the scores is (w_0 + w_1) p - w_0 one_hot(target) - w_1 / K
for K classes.

References
----------
.. [1] Szegedy et al. (2016), "Rethinking the Inception Architecture for Computer
   Vision", CVPR, section 7.
"""

import math

from skrnn._core.compiled import compiled


@compiled
def loss_and_gradient(scores, target, weight):
    """Return the summed loss, and replace the scores by its gradient."""
    total = 0.0
    one = scores.dtype.type(1)
    share = one / scores.dtype.type(scores.shape[1])
    for i in range(len(scores)):
        s, of_target, of_all = scores[i], weight[i, 0], weight[i, 1]
        largest, mean = s[0], 0.0
        for j in range(len(s)):
            # NaN is not larger than anything, but must not get lost.
            largest = s[j] if s[j] > largest or s[j] != s[j] else largest
            mean += s[j]
        mean /= len(s)
        chosen, n = s[target[i]], 0.0
        for j in range(len(s)):
            s[j] = math.exp(s[j] - largest)
            n += s[j]
        log_n = math.log(n) + largest
        total += of_target * (log_n - chosen) + of_all * (log_n - mean)
        factor = scores.dtype.type((of_target + of_all) / n)
        for j in range(len(s)):
            s[j] = s[j] * factor - of_all * share
        s[target[i]] -= of_target
    return total
