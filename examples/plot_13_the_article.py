"""
=================================
The loop of the article, and ours
=================================

This package began with an article that explains recurrent networks without neural
networks: matrices, a loop, and autograd. Here is its training loop, with its 12 epochs,
beside an estimator that does the same, and beside the defaults.
"""

# %%
# Surnames once more
# ------------------
# The article tells the language of a name. We take surnames from the faker package.

from importlib import import_module
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.model_selection import train_test_split

from skrnn import RNNClassifier

X, y = [], []
for language, locale in {
    "Dutch": "nl_NL",
    "Finnish": "fi_FI",
    "Italian": "it_IT",
    "Spanish": "es_ES",
}.items():
    names = sorted(
        set(import_module(f"faker.providers.person.{locale}").Provider.last_names)
    )
    chosen = np.random.default_rng(0).choice(names, min(500, len(names)), replace=False)
    X += chosen.tolist()
    y += [language] * len(chosen)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"{len(X)} names to learn from, {len(X_test)} to test")

# %%
# The loop
# --------
# Letters are one-hot vectors. Words of a batch are padded on the left by zeros, which
# leave h at 0. W begins as the identity, so that h begins as a sum [1]_. Each epoch
# goes through all batches, and autograd finds the gradients of W, U and V.

letters = sorted({letter for name in X for letter in name})
languages = sorted(set(y))
longest = max(map(len, X + X_test))
nhidden, batch_size, n_epochs = 100, 32, 12


def one_hot(names):
    """An array of shape (n_names, longest, n_letters)."""
    array = torch.zeros(len(names), longest, len(letters))
    for row, name in zip(array, names, strict=True):
        for t, letter in enumerate(name, start=longest - len(name)):
            if letter in letters:
                row[t, letters.index(letter)] = 1
    return array


torch.manual_seed(0)
torch.set_num_threads(1)  # of both: such small products gain nothing from more
W = torch.eye(nhidden, requires_grad=True)
U = torch.randn(nhidden, len(letters), requires_grad=True)
V = torch.randn(len(languages), nhidden, requires_grad=True)
optimizer = torch.optim.Adam([W, U, V], lr=0.001)


def forward(x):
    """The scores of the words of a batch."""
    h = torch.zeros(nhidden, len(x))
    for t in range(x.shape[1]):
        h = torch.tanh(W @ h + U @ x[:, t].T)
    return (V @ h).T


x, x_test = one_hot(X), one_hot(X_test)
target = torch.tensor([languages.index(label) for label in y])
target_test = torch.tensor([languages.index(label) for label in y_test])
accuracies, seconds = [], 0.0
for _ in range(n_epochs):
    start = perf_counter()
    order = torch.randperm(len(x))
    for batch in order.split(batch_size):
        loss = torch.nn.functional.cross_entropy(forward(x[batch]), target[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    seconds += perf_counter() - start
    with torch.no_grad():
        is_right = forward(x_test).argmax(dim=1) == target_test
    accuracies.append(is_right.float().mean().item())

# %%
# Ours
# ----
# The same network is a matter of parameters. It starts from other weights, clips
# gradients, and lowers the learning rate towards the end; and it computes no step of
# padding. The defaults have a cell with gates, n-grams, and a linear model beside the
# network.

plain = RNNClassifier(
    nhidden=nhidden,
    cell="rnn",
    ngram_range=(1, 1),
    wide_ngram_range=None,
    batch_size=batch_size,
    max_iter=n_epochs,
    random_state=0,
)
models = {"the same network": plain, "the defaults": RNNClassifier(random_state=0)}
RNNClassifier(cell="rnn", max_iter=1).fit(X, y)  # what is compiled does not count
results = {"the loop": (accuracies[-1], seconds)}
for name, model in models.items():
    start = perf_counter()
    model.fit(X, y)
    results[name] = model.score(X_test, y_test), perf_counter() - start
print("\n                  accuracy  seconds")
for name, (accuracy, time) in results.items():
    print(f"{name:16s}  {accuracy:8.3f}  {time:7.1f}")

# %%

figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
axis.plot(range(1, n_epochs + 1), accuracies, "o-", label="the loop, by epoch")
for i, name in enumerate(models, start=1):
    label = f"{name}, after the fit"
    axis.axhline(results[name][0], color=f"C{i}", linestyle="--", label=label)
axis.set(xlabel="epoch", ylabel="accuracy on unseen names")
axis.legend()
print(f"\nThe defaults name the language of {results['the defaults'][0]:.1%} of them.")
plt.show()

# %%
# .. [1] Parr (2020), `Explaining RNNs without neural networks
#    <https://explained.ai/rnn/index.html>`_.
