"""How the learning rate goes up and down."""

import numpy as np
import pytest

from skrnn._core.schedule import WARM_UP, one_cycle


def test_learning_rate_rises_then_falls():
    rates = [one_cycle(done) for done in np.linspace(0, 1, 101)]
    peak = int(100 * WARM_UP)
    assert rates[0] == pytest.approx(0.1)
    assert rates[peak] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.01)
    assert all(np.diff(rates[: peak + 1]) > 0) and all(np.diff(rates[peak:]) < 0)
