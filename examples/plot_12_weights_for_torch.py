"""
============================
The same weights in torch.nn
============================

Fitted weights are NumPy arrays in the order of torch.nn, so a fitted network can go on
in torch: in a larger model, in another format, or, as here, to ask a question that
needs gradients. Which letters does a prediction depend on?
"""

# %%
# A network with nothing beside it
# --------------------------------
# To have all in ``nn.GRU`` and ``nn.Linear``, a step reads its letter alone, the code
# is the last state, and no linear model is beside the network.

from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn

from skrnn import RNNClassifier

X, y = [], []
for language, locale in {
    "Finnish": "fi_FI",
    "Italian": "it_IT",
    "Dutch": "nl_NL",
}.items():
    provider = import_module(f"faker.providers.person.{locale}").Provider
    names = sorted(set(provider.last_names))
    X += names
    y += [language] * len(names)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
classifier = RNNClassifier(
    nhidden=64,
    ngram_range=(1, 1),
    pooling="last",
    wide_ngram_range=None,
    max_iter=15,
    random_state=0,
)
classifier.fit(X, y)
print(
    f"{len(X)} names; {classifier.score(X_test, y_test):.1%} of unseen ones are right"
)

# %%
# Copying the weights
# -------------------
# U has a column for each letter, which is what a letter adds to the gates. So the input
# of torch's GRU is a letter as a one-hot vector. torch has two biases, which skrnn
# keeps as one, except for that of n, inside the product with r: it is the last block of
# ``b_``.

W, U, b = classifier.W_[0], classifier.U_[0], classifier.b_[0]
nhidden, n_inputs = W.shape[1], U.shape[1]
gru, output = nn.GRU(n_inputs, nhidden), nn.Linear(nhidden, len(classifier.classes_))
hidden_bias = np.concatenate([np.zeros(2 * nhidden), b[3 * nhidden :]])
arrays = {
    gru.weight_hh_l0: W,
    gru.weight_ih_l0: U,
    gru.bias_ih_l0: b[: 3 * nhidden],
    gru.bias_hh_l0: hidden_bias,
    output.weight: classifier.V_,
    output.bias: classifier.intercept_,
}
with torch.no_grad():
    for parameter, array in arrays.items():
        parameter.copy_(torch.tensor(array))


def one_hot(name):
    """A name as a tensor of shape (n_letters, n_inputs)."""
    ids = [classifier.vocabulary_[letter] for letter in name]
    return nn.functional.one_hot(torch.tensor(ids), n_inputs).float()


def scores_of(x):
    """The scores of the classes, by torch alone."""
    states, _ = gru(x)
    return output(states[-1])


known = [name for name in X_test if set(name) <= set(classifier.vocabulary_)]
with torch.no_grad():
    theirs = torch.softmax(torch.stack([scores_of(one_hot(x)) for x in known]), dim=1)
difference = np.abs(theirs.numpy() - classifier.predict_proba(known)).max()

# %%
# What a letter contributes
# -------------------------
# The gradient of a score with respect to the input, times the input, says how the score
# would change if there was a little less of a letter.

figure, axes = plt.subplots(3, figsize=(8, 5), layout="constrained")
for axis, name in zip(axes, ["Virtanen", "Bernardini", "van der Meer"], strict=True):
    x = one_hot(name).requires_grad_()
    scores = scores_of(x)
    best = int(scores.argmax())
    scores[best].backward()
    worth = (x.grad * x).sum(dim=1).detach().numpy()
    axis.bar(range(len(name)), worth, color=np.where(worth > 0, "C0", "C3"))
    axis.axhline(0, color="black", linewidth=0.5)
    axis.set_xticks(range(len(name)), name)
    axis.set_title(f"{name}: {classifier.classes_[best]}", fontsize=10)
axes[1].set_ylabel("worth of a letter")
print(f"Probabilities of torch and skrnn differ by at most {difference:.0e}.")
plt.show()
