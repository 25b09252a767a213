"""
=======================================
Many surnames, and few of them labelled
=======================================

Names are cheap, and labels are not. An encoder can first learn from all names, without
labels, by predicting the next letter. How many labels does that save?
"""

# %%
# Surnames of six languages
# -------------------------
# They are from the faker package, at most 600 of each. Names that are in two lists are
# left out. All but the test names are there to learn from, but most have no label.

import random
from collections import Counter
from copy import deepcopy
from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skrnn import RNNEncoder

lists = {
    "Czech": ("cs_CZ", "last_names"),
    "Dutch": ("nl_NL", "last_names"),
    "English": ("en_GB", "last_names"),
    "Finnish": ("fi_FI", "last_names"),
    "Italian": ("it_IT", "last_names"),
    "Spanish": ("es_ES", "last_names"),
}
names = {}
for language, (locale, attribute) in lists.items():
    provider = import_module(f"faker.providers.person.{locale}").Provider
    names[language] = sorted(set(getattr(provider, attribute)))
count = Counter(name for language in names for name in names[language])
pairs = []
for language in names:
    kept = [(name, language) for name in names[language] if count[name] == 1]
    pairs += random.Random(0).sample(kept, min(600, len(kept)))
X, y = (np.array(column) for column in zip(*pairs, strict=True))
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"{len(X)} names without labels, {len(X_test)} test names")

# %%
# Learning from names alone
# --------------------------
# Without y, the encoder learns to predict the next letter. It then knows which letters
# follow which, but not yet that there are languages.

encoder = RNNEncoder(warm_start=True, random_state=0).fit(X)
print(f"Without labels: {encoder.task_}, loss {encoder.loss_:.2f} nats")

# %%
# Then a few labels
# -----------------
# With ``warm_start=True``, the encoder goes on from there with the labelled names, at a
# low learning rate, lest it forgets. A linear model reads its codes. Beside it, the
# same encoder learns from the labelled names alone.


def accuracy(encoder, few, labels):
    """The accuracy of a linear model on the codes of an encoder."""
    linear = LogisticRegression(max_iter=1000).fit(encoder.transform(few), labels)
    return linear.score(encoder.transform(X_test), y_test)


n_labels = [30, 60, 120, 240, 480]
scores = {"all names first": [], "labelled names alone": []}
for n in n_labels:
    few, labels = X[:n], y[:n]
    warm = deepcopy(encoder).set_params(learning_rate_init=0.001).fit(few, labels)
    cold = RNNEncoder(random_state=0).fit(few, labels)
    for name, fitted in zip(scores, (warm, cold), strict=True):
        scores[name].append(accuracy(fitted, few, labels))
print("labels  " + "  ".join(scores))
for n, warm, cold in zip(n_labels, *scores.values(), strict=True):
    print(f"{n:6d}  {warm:15.1%}  {cold:20.1%}")

# %%
# What it was worth
# -----------------
# With few labels, names without labels are worth as much as twice the labels. With
# many, they are worth nothing: a fit that goes on slowly from what is general learns
# less of what the labels say.

figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
for name, values in scores.items():
    axis.plot(n_labels, values, "o-", label=name)
axis.set(xscale="log", xlabel="number of labelled names", ylabel="accuracy")
axis.set_xticks(n_labels, n_labels)
axis.minorticks_off()
axis.legend()
gain = np.mean(scores["all names first"]) - np.mean(scores["labelled names alone"])
print(f"On average, names without labels gain {100 * gain:.1f} points.")
plt.show()
