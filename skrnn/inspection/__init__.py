"""What a fitted network has learned, and what it does while it reads.

Displays are used as those of scikit-learn: ``from_estimator`` computes and draws, and
``plot`` draws again. They need matplotlib (``pip install matplotlib``), which is only
imported to draw; the functions that return numbers do not need it.
"""

from skrnn.inspection._animation import animate_hidden_states
from skrnn.inspection._attention import AttentionDisplay
from skrnn.inspection._embedding import EmbeddingDisplay
from skrnn.inspection._hidden_states import HiddenStateDisplay
from skrnn.inspection._importances import step_importances
from skrnn.inspection._loss_curve import LossCurveDisplay
from skrnn.inspection._recurrence import RecurrenceDisplay
from skrnn.inspection._staged import StagedPredictionDisplay
from skrnn.inspection._states import hidden_states
from skrnn.inspection._trajectory import TrajectoryDisplay

__all__ = [
    "AttentionDisplay",
    "EmbeddingDisplay",
    "HiddenStateDisplay",
    "LossCurveDisplay",
    "RecurrenceDisplay",
    "StagedPredictionDisplay",
    "TrajectoryDisplay",
    "animate_hidden_states",
    "hidden_states",
    "step_importances",
]
