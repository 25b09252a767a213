"""What the gradient tests do not see of pooling: equal values."""

import torch

from skrnn._core import pooling


def test_of_equal_largest_values_the_first_has_the_gradient():
    # Two sequences of three steps and one, of two units, in packed order.
    H = torch.tensor([[1.0, 0.0], [5.0, 1.0], [1.0, 2.0], [0.5, 2.0]])
    batch_sizes, nothing = [2, 1, 1], {}
    dh = torch.tensor([[3.0, 4.0], [5.0, 6.0]])
    packing = {"last": torch.tensor([3, 1])}
    pooled, kept = pooling.pool("max", H, batch_sizes, packing, [], [])
    assert pooled.tolist() == [[1.0, 2.0], [5.0, 1.0]]
    _, (dH,) = pooling.spread(
        "max", dh, H, batch_sizes, nothing, kept, [], [], torch.empty(0), [0]
    )
    assert dH.tolist() == [[3.0, 0.0], [5.0, 6.0], [0.0, 4.0], [0.0, 0.0]]
    assert dh.tolist() == [[3.0, 4.0], [5.0, 6.0]]  # "sum" goes on with it
