"""
=======================================
Data that arrive, and never all at once
=======================================

A machine reports a vibration and a temperature every second. Its logs are too many to
keep, so a network learns from one chunk after the other, and then watches the machine
live: after each second, it says what the machine does, without reading again what was
before.
"""

# %%
# A machine with three moods
# --------------------------
# It idles, runs, or runs with a fault, which is a beat in the vibration that cannot be
# seen in a single reading. The log says which it was.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNTagger

MODES = ["fault", "idle", "run"]
rng = np.random.default_rng(0)


def log(n_steps=240):
    """Readings of shape (n_steps, 2), and the mode at each step."""
    modes = []
    while len(modes) < n_steps:
        modes += [rng.choice(MODES)] * rng.integers(30, 60)
    modes = np.array(modes[:n_steps])
    level = np.where(modes == "idle", 0.2, 1.0)
    beat = np.where(modes == "fault", np.sin(np.arange(n_steps) * np.pi / 2), 0)
    vibration = level + 0.5 * beat + rng.normal(scale=0.35, size=n_steps)
    temperature = 20 + np.convolve(level, np.full(40, 1 / 4), "full")[:n_steps]
    return np.column_stack([vibration, temperature]), modes


# %%
# Learning chunk by chunk
# -----------------------
# A chunk has 20 logs. ``partial_fit`` trains for one epoch on it, and the chunk is
# forgotten. Three logs are kept to look at the score meanwhile. The network reads in
# one direction, since a stream has no end to read back from. The learning rate is
# constant: we lower it for the last chunks.

X_kept, y_kept = zip(*(log() for _ in range(3)), strict=True)
tagger = RNNTagger(nhidden=32, bidirectional=False, batch_size=4, random_state=0)
scores = []
for chunk in range(20):
    if chunk == 15:
        tagger.set_params(learning_rate_init=0.001)
    X, y = zip(*(log() for _ in range(20)), strict=True)
    tagger.partial_fit(list(X), list(y), classes=MODES)
    scores.append(tagger.score(list(X_kept), list(y_kept)))
print(
    f"Accuracy after 1, 5 and 20 chunks: {scores[0]:.1%}, {scores[4]:.1%}, "
    f"{scores[-1]:.1%}"
)

# %%
# Watching live
# -------------
# ``start`` gives a reader that keeps the state. Each ``step`` takes one reading, and
# its cost does not depend on how long the stream has been running.

X_live, y_live = log(400)
stream = tagger.start()
stream.step(X_live[:1])  # the first step loads what is compiled
stream, probabilities = tagger.start(), []
start = perf_counter()
for reading in X_live:
    probabilities.append(stream.step(reading[np.newaxis])[0])
seconds = perf_counter() - start
probabilities = np.array(probabilities)
at_once = tagger.predict_proba([X_live])[0]
print(f"Step by step is as at once: {np.allclose(probabilities, at_once, atol=1e-4)}")
print(f"A step takes {1000 * seconds / len(X_live):.2f} ms.")

# %%

figure, axes = plt.subplots(3, figsize=(10, 6), layout="constrained")
axes[0].plot(range(1, len(scores) + 1), scores, "o-")
axes[0].set(xlabel="chunks learned from", ylabel="accuracy")
axes[1].plot(X_live[:, 0], color="gray")
axes[1].set(ylabel="vibration", xlim=(0, len(X_live)))
axes[2].stackplot(
    range(len(X_live)), probabilities.T, labels=tagger.classes_, alpha=0.7
)
axes[2].vlines(np.flatnonzero(y_live[1:] != y_live[:-1]) + 1, 0, 1, color="black")
axes[2].set(xlabel="second; the mode changes at the lines", ylabel="probability")
axes[2].set(xlim=(0, len(X_live)), ylim=(0, 1))
axes[2].legend(loc="lower left", ncols=3)
is_right = np.array(tagger.classes_)[probabilities.argmax(axis=1)] == y_live
print(f"Live, {is_right.mean():.1%} of the seconds are right.")
plt.show()
