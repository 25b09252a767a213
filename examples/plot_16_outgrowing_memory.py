"""
=================
Outgrowing memory
=================

Sometimes there are more data than memory. One could learn from a part that fits, and
leave the rest on the disk. Here is what that costs, and how to learn from all of it: a
``ChunkedDataset`` reads one file at a time, as often as there are epochs.
"""

# %%
# Files that we do not want in memory
# -----------------------------------
# Part numbers of a warehouse begin with the code of a supplier, and no rule says which
# department the supplier delivers to: each must have been seen. Forty files have 250
# numbers each. They are small here, so that the lesson is short; they could as well be
# Parquet files of gigabytes, for which there is ``ChunkedDataset.from_parquet``.

import json
import tempfile
from itertools import chain
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skrnn import ChunkedDataset, RNNClassifier

rng = np.random.default_rng(0)
letters = np.array([*"abcdefghijklmnopqrstuvwxyz"])
suppliers = ["".join(rng.choice(letters, 4)) for _ in range(1500)]
departments = rng.choice(["books", "food", "tools"], len(suppliers)).tolist()


def draw(n):
    """Part numbers, and the departments that they belong to."""
    chosen = rng.integers(len(suppliers), size=n).tolist()
    ends = rng.integers(10_000, 100_000, n).tolist()
    X = [f"{suppliers[i]}-{end}" for i, end in zip(chosen, ends, strict=True)]
    return X, [departments[i] for i in chosen]


folder = tempfile.TemporaryDirectory()
for i in range(40):
    path = Path(folder.name) / f"{i:02}.json"
    path.write_text(json.dumps(draw(250)), encoding="utf-8")
X_new, y_new = draw(1000)

# %%
# A function that reads them
# --------------------------
# It returns a new iterator each time it is called: once to learn the vocabulary, the
# classes and how many sequences there are, and then once per epoch. We count how many
# files it opens.

n_opened = 0


def make_chunks(n_files=40):
    global n_opened
    for path in sorted(Path(folder.name).glob("*.json"))[:n_files]:
        n_opened += 1
        X, y = json.loads(path.read_text(encoding="utf-8"))
        yield X, y


# %%
# A part of the data, and all of them
# -----------------------------------
# With a buffer of 1,000 sequences, memory has room for four files. A fit on these is
# one that reads no file twice. The other fit reads all forty, in the same memory.

parameters = {"nhidden": 16, "max_iter": 8, "random_state": 0}
part = ChunkedDataset(lambda: make_chunks(4), buffer_size=1000)
of_part = RNNClassifier(**parameters).fit(part)
print(f"A part of the data: {n_opened} files were opened.")

n_opened = 0
everything = ChunkedDataset(make_chunks, buffer_size=1000)
of_all = RNNClassifier(**parameters).fit(everything)
print(f"All data: {n_opened} files were opened, in 1 + {of_all.n_iter_} passes.")
scores = [fitted.score(X_new, y_new) for fitted in (of_part, of_all)]
print(f"Accuracy on new numbers: {scores[0]:.1%} and {scores[1]:.1%}")

# %%
# What fits into the buffer is fitted as if there were no chunks, to the bit:

X, y = map(chain.from_iterable, zip(*make_chunks(4), strict=True))
X, y = list(X), list(y)
in_memory = RNNClassifier(**parameters).fit(X, y)
print(
    "In memory, the same network:",
    bool((in_memory.V_ == of_part.V_).all()),
)

# %%

figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
names = "1,000 sequences,\nwhich fit", "10,000 sequences,\nchunk by chunk"
axes[0].bar(names, scores, color=["tab:gray", "tab:blue"])
axes[0].axhline(1 / 3, color="black", linestyle=":")
axes[0].set(ylabel="accuracy on new part numbers", ylim=(0, 1))
axes[1].plot(of_part.loss_curve_, "o-", color="tab:gray", label="a part")
axes[1].plot(of_all.loss_curve_, "o-", color="tab:blue", label="all data")
axes[1].set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
axes[1].legend()
folder.cleanup()
plt.show()
