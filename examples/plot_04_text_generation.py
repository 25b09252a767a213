"""
=======================================
A network that writes what it has read
=======================================

A network that predicts the next character of a text can also write one: draw a
character from what it predicts, let it read this one, and go on. What does it write
after it has read it once, and what after eight times? And can it invent surnames?

To try it on a text of your own, pass its path:
``python plot_04_text_generation.py novel.txt``.
"""

# %%
# A text that every Python has
# ----------------------------
# Python carries the help on its own topics, 465,000 characters of English, which
# ``help("topics")`` lists. The network reads the first nine tenths. The rest, which
# only serves to tell how well it predicts, is not read.

import argparse
import random
import sys
from importlib import import_module
from pathlib import Path
from pydoc_data.topics import topics
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNLanguageModel

parser = argparse.ArgumentParser(description="Learn from a text, and write one.")
parser.add_argument("text", nargs="?", help="a text file in UTF-8")
parser.add_argument("--figure", help="where to save the figure, such as text.png")
is_script = Path(sys.argv[0]).name == "plot_04_text_generation.py"  # not a notebook
arguments = parser.parse_args(sys.argv[1:] if is_script else [])

text = "\n".join(topics[name] for name in sorted(topics))
if arguments.text:
    text = Path(arguments.text).read_text(encoding="utf-8")
n_train = int(0.9 * len(text))
train, rest = text[:n_train], text[n_train:]
print(f"{len(train):,} characters to read, of {len(set(train))} kinds")

# %%
# Samples at three temperatures, while it learns
# ----------------------------------------------
# ``partial_fit`` reads the text once more each time. Samples begin with the first word
# of the text. At a low temperature, likely characters become even likelier: the network
# repeats what is common. At 1, it draws from what it predicts.
# The perplexity is among how many equally likely characters it chooses on average.

model = RNNLanguageModel(nhidden=128, random_state=0)
prompt = train.split()[0] + " "
perplexities, start = [], perf_counter()
for n_epochs in range(1, 9):
    if n_epochs == 7:  # to end on smaller steps
        model.set_params(learning_rate_init=0.001)
    model.partial_fit(train)
    perplexities.append(model.perplexity(rest[:10_000]))
    if n_epochs not in (1, 3, 8):
        continue
    seconds = perf_counter() - start
    print(
        f"\nRead {n_epochs} times ({seconds:.0f} s): perplexity {perplexities[-1]:.2f}"
    )
    for temperature in (0.3, 0.6, 1.0):
        how = {"temperature": temperature, "max_length": 150, "random_state": 0}
        (sample,) = model.sample(prompt=prompt, **how)
        print(f"  {temperature}: {' '.join(sample.split())}")

# %%
# How sure is it of each character?
# ---------------------------------
# ``iter_sample`` writes character by character, and tells the probabilities beside each
# one. The first letters of words are hard to predict, and the others are easier.

pairs = model.iter_sample(prompt, max_length=60, random_state=1, return_proba=True)
characters, probabilities = [], []
for character, p in pairs:
    characters.append(character)
    probabilities.append(p[model.tokens_.index(character)])

# %%
# New surnames
# ------------
# From many sequences, such as the English surnames of the faker package, the network
# also learns where they end: samples end by themselves.

names = sorted(set(import_module("faker.providers.person.en_GB").Provider.last_names))
random.Random(0).shuffle(names)
inventor = RNNLanguageModel(nhidden=64, dropout=0.2, max_iter=40, random_state=0)
inventor.fit(names[50:])
samples = inventor.sample(100, temperature=0.8, random_state=0)
invented = list(dict.fromkeys(name for name in samples if name not in names))
print(f"\n{len(invented)} of 100 surnames are new: {', '.join(invented[:10])}")
likely, unlikely = (
    inventor.score(part) for part in (names[:50], [name[::-1] for name in names[:50]])
)
print(
    f"Unseen surnames have {likely:.2f} nats per character, backwards {unlikely:.2f}."
)

# %%

figure, axes = plt.subplots(2, figsize=(10, 6), layout="constrained")
axes[0].plot(range(1, len(perplexities) + 1), perplexities, marker="o")
axes[0].set(xlabel="times that the text was read", ylabel="perplexity of the rest")
axes[1].bar(range(len(characters)), np.array(probabilities))
axes[1].set_xticks(range(len(characters)), [repr(c)[1:-1] for c in characters])
axes[1].set(ylabel="probability of what was drawn")
if arguments.figure:
    figure.savefig(arguments.figure)
print(f"\nThe perplexity fell from {perplexities[0]:.2f} to {perplexities[-1]:.2f}.")
plt.show()
