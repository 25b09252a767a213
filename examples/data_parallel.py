"""
==============================
One network, several processes
==============================

Each process passes its own sequences to ``fit``, and all of them end with the network
that one process would have learned from everything. On this machine, by two processes::

    torchrun --standalone --nproc-per-node 2 data_parallel.py

On two machines, of which the first is called ``node0``, by two processes each: run this
on both ::

    torchrun --nnodes 2 --nproc-per-node 2 --rdzv-backend c10d \\
        --rdzv-endpoint node0:29400 --rdzv-id names data_parallel.py

And by a single process, without any change::

    python data_parallel.py
"""

# %%
# A file for each process
# -----------------------
# Here they are made up: words of two languages, which differ by what follows what. In
# real life, each rank reads a file of its own.

from time import perf_counter

import numpy as np

from skrnn import RNNClassifier
from skrnn.distributed import data_parallel

SYLLABLES = {"A": ["ka", "lo", "mi", "tek", "ran"], "B": ["ak", "ol", "im", "kut"]}


def read(seed, n_words):
    """Words and their languages."""
    rng = np.random.default_rng(seed)
    y = rng.choice(list(SYLLABLES), n_words).tolist()
    X = ["".join(rng.choice(SYLLABLES[label], rng.integers(2, 5))) for label in y]
    return X, y


# %%
# The fit
# -------
# Inside ``data_parallel``, ``fit`` is one of all ranks. ``batch_size`` counts the
# sequences of all of them: each rank computes its share of each minibatch, then the
# gradients are summed. If a rank raises an error here, all of them do.

with data_parallel() as ranks:
    X, y = read(seed=ranks.rank, n_words=6000 // ranks.world_size)
    start = perf_counter()
    classifier = RNNClassifier(nhidden=64, batch_size=256, max_iter=5, random_state=0)
    classifier.fit(X, y)
    seconds = perf_counter() - start

# %%
# All ranks have the same network now. One of them goes on.

if ranks.rank == 0:
    X_test, y_test = read(seed=1_000_000, n_words=1000)
    print(f"{ranks.world_size} processes, {len(X)} words each, {seconds:.1f} s")
    print(f"Accuracy on other words: {classifier.score(X_test, y_test):.1%}")
