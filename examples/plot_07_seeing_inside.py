"""
===============================
Seeing inside, letter by letter
===============================

A network reads a name from left to right, and at each letter it knows something. What
does it think after "Kat", and which letter made it think so? :mod:`skrnn.inspection`
shows what a fitted network has learned, and what it does while it reads.
"""

# %%
# A classifier of surnames
# ------------------------
# The faker package contains lists of real surnames. We take 400 of each of six
# languages, hold out a quarter, and let ``RNNClassifier`` learn the others.

import argparse
import random
import sys
from importlib import import_module
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from skrnn import RNNClassifier
from skrnn.inspection import (
    EmbeddingDisplay,
    HiddenStateDisplay,
    StagedPredictionDisplay,
    TrajectoryDisplay,
    step_importances,
)

parser = argparse.ArgumentParser(description="See inside a network that reads names.")
parser.add_argument("name", nargs="?", default="Katze", help="a name to read")
parser.add_argument("--figure", help="where to save the first figure")
is_script = Path(sys.argv[0]).name == "plot_07_seeing_inside.py"  # not a notebook
arguments = parser.parse_args(sys.argv[1:] if is_script else [])

locales = {"English": "en_GB", "Finnish": "fi_FI", "French": "fr_FR"}
locales |= {"German": "de_DE", "Italian": "it_IT", "Polish": "pl_PL"}
X, y = [], []
for language, locale in locales.items():
    provider = import_module(f"faker.providers.person.{locale}").Provider
    names = getattr(provider, "unisex_last_names", None) or provider.last_names
    X += random.Random(0).sample(sorted(set(names)), 400)
    y += [language] * 400
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

classifier = RNNClassifier(random_state=0).fit(X_train, y_train)
print(
    f"{classifier.score(X_test, y_test):.1%} of {len(X_test)} unseen names are right."
)

# %%
# What it thinks after each letter
# --------------------------------
# "Katze" is no surname, but a cat in German. A bar shows the probabilities of all
# languages after one more letter, so that the last one is what ``predict_proba``
# returns.

display = StagedPredictionDisplay.from_estimator(classifier, arguments.name)
display.ax_.set_title(f"Which language is {arguments.name!r}?")
if arguments.figure:
    display.figure_.savefig(arguments.figure)

# %%
# How early does it know?
# -----------------------
# ``staged_predict`` yields the predictions for all names after their first letter,
# after the second, and so on, like the method of scikit-learn's boosted ensembles. A
# name that has ended keeps its prediction.

stages = [np.mean(labels == y_test) for labels in classifier.staged_predict(X_test)]
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(range(1, len(stages) + 1), stages, "o-")
ax.set(xlabel="letters read", ylabel="share of names that are right", ylim=(0, 1))
print("\nletters read  names that are right")
for n in (1, 2, 3, 4, 6, len(stages)):
    print(f"{n:12d}  {stages[n - 1]:18.1%}")

# %%
# Which letters matter
# --------------------
# The importance of a letter is how much less likely the predicted language would be if
# the letter were unknown, in nats. Letters at the end say most in Finnish and Polish.

shown = [arguments.name, "Virtanen", "Schwarz", "Wojciechowski", "Bianchi", "Whitehead"]
languages = classifier.predict(shown)
importances = step_importances(classifier, shown)
print()
for name, language, importance in zip(shown, languages, importances, strict=True):
    most = set(np.argsort(-importance)[:2].tolist())
    marked = "".join(f"[{c}]" if i in most else c for i, c in enumerate(name))
    print(f"{marked:20s}{language:8s}  {importance.round(1) + 0.0}")

# %%
# The hidden state, unit by unit
# ------------------------------
# A row is an entry of h, and a column a letter. Units that hold their colour remember
# what was read; others follow the last letter. These are the 24 that vary most.

HiddenStateDisplay.from_estimator(classifier, arguments.name, n_units=24)

# %%
# The hidden state as a path
# --------------------------
# Names start in the same point, the square, and those of one language end close to each
# other.

rng = np.random.default_rng(0)
some = rng.permutation(len(X_test))[:60]
TrajectoryDisplay.from_estimator(
    classifier, [X_test[i] for i in some], [y_test[i] for i in some]
)

# %%
# What letters have in common
# ---------------------------
# To the network, a letter is a column of U. A small network that reads single letters
# puts letters close together which say the same about a name.

letters = RNNClassifier(
    nhidden=32, ngram_range=(1, 1), wide_ngram_range=None, random_state=0
)
letters.fit([name.lower() for name in X_train], y_train)
EmbeddingDisplay.from_estimator(letters, tokens=[*"abcdefghijklmnopqrstuvwxyzäöł"])

half = next(n for n, share in enumerate(stages, 1) if share > 0.5)
print(f"\nAfter {half} letters, more than half of the names are right.")
plt.show()
