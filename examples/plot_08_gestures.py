"""
============================================
A new person: gestures and grouped splitting
============================================

A watch is to tell four gestures apart. Its recordings have different lengths, and
people move each in their own way. How well will it do with a person whom it has never
met? The usual cross-validation does not tell: it tests on the people that it has
learned from.
"""

# %%
# Twelve people make four gestures
# --------------------------------
# The recordings are made up, so that we know what is in them: two coordinates of a
# hand, 25 to 60 times. A person has a speed, a size and a slant of their own. Four of
# the twelve are left-handed, and mirror each gesture.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict

from skrnn import RNNClassifier

GESTURES = ["circle left", "circle right", "wave", "zigzag"]
n_people, n_repeats = 12, 6
rng = np.random.default_rng(0)


def gesture(kind, speed, size, slant, is_left_handed):
    """A recording of one gesture, an array of shape (n_steps, 2)."""
    n_steps = int(rng.uniform(35, 45) / speed)
    t = np.linspace(0, 2 * np.pi, n_steps) + rng.normal(scale=0.2)
    x, y = {
        "circle left": (np.cos(t), np.sin(t)),
        "circle right": (np.cos(t), -np.sin(t)),
        "wave": (t / np.pi - 1, np.sin(2 * t)),
        "zigzag": (t / np.pi - 1, 2 * np.abs((t / np.pi * 2) % 2 - 1) - 1),
    }[kind]
    x = -x if is_left_handed else x
    x, y = x + slant * y, y - slant * x
    return size * np.column_stack([x, y]) + rng.normal(scale=0.15, size=(n_steps, 2))


X, y, person = [], [], []
for who in range(n_people):
    speed, size = rng.uniform(0.75, 1.3), rng.uniform(0.6, 1.4)
    slant, is_left_handed = rng.normal(scale=0.4), who % 3 == 2
    for kind in GESTURES * n_repeats:
        X.append(gesture(kind, speed, size, slant, is_left_handed))
        y.append(kind)
        person.append(who)
y, person = np.array(y), np.array(person)
lengths = [len(x) for x in X]
print(f"{len(X)} recordings of {min(lengths)} to {max(lengths)} steps")

# %%
# Two ways to split
# -----------------
# ``StratifiedKFold`` splits at random, so that each person is in the training data and
# in the test data. ``GroupKFold`` keeps all recordings of a person together. The
# recordings go in as they are: a list of arrays of different lengths.

classifier = RNNClassifier(nhidden=32, max_iter=15, random_state=0)
splits = {
    "people it knows": (StratifiedKFold(4, shuffle=True, random_state=0), None),
    "new people": (GroupKFold(4), person),
}
right = {}
for name, (cv, groups) in splits.items():
    y_pred = cross_val_predict(classifier, X, y, groups=groups, cv=cv)
    right[name] = y_pred == y
    print(f"Accuracy with {name}: {right[name].mean():.1%}")

# %%
# Who is misunderstood?
# ---------------------
# The mean hides whom it concerns, so a score per person belongs beside it. Here, most
# new people fare as well as known ones, left-handed or not, but one fares badly. Look
# at the recordings of such people, and ask for more like them, before you build the
# watch.

figure, (left, bars) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for i, kind in enumerate(GESTURES):
    for who, style in ((0, "-"), (2, ":")):
        x = X[np.flatnonzero((y == kind) & (person == who))[0]]
        left.plot(*(x + [3.5 * (i % 2), 3.5 * (i // 2)]).T, style, color=f"C{i}")
left.set(title="Four gestures of two people, the second left-handed")
left.set(xticks=[], yticks=[], aspect="equal")
width = 0.4
for shift, (name, is_right) in zip((-width / 2, width / 2), right.items(), strict=True):
    scores = [is_right[person == who].mean() for who in range(n_people)]
    bars.bar(np.arange(n_people) + shift, scores, width, label=name)
bars.set_xticks(range(n_people), ["L" if k % 3 == 2 else "R" for k in range(n_people)])
bars.set(xlabel="person, left- or right-handed", ylabel="accuracy", ylim=(0, 1.25))
bars.legend(ncols=2)
gap = right["people it knows"].mean() - right["new people"].mean()
print(f"A random split promises {100 * gap:.0f} percentage points too much.")
plt.show()
