"""
==============================
Digits that spell their names
==============================

A classifier of handwritten digits tells them apart. A decoder writes: it gets the
pixels of an image, and spells what they show, letter by letter, in one language and
then in two. Nobody tells it that there are ten digits, or what a word is.
"""

# %%
# From pixels to letters
# ----------------------
# X is an ordinary matrix, here of 64 grey levels, and y holds strings. The pixels
# decide the state in which the network starts, and what it reads beside each letter.

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skrnn import RNNDecoder

parser = argparse.ArgumentParser(description="Spell digits.")
parser.add_argument("--figure", help="where to save the figure, such as digits.png")
is_script = Path(sys.argv[0]).name == "plot_05_decoder.py"  # not a notebook
arguments = parser.parse_args(sys.argv[1:] if is_script else [])

ENGLISH = "zero one two three four five six seven eight nine".split()
GERMAN = "null eins zwei drei vier fünf sechs sieben acht neun".split()
pixels, digits = load_digits(return_X_y=True)
X, X_test, d, d_test = train_test_split(pixels, digits, stratify=digits, random_state=0)


def spelled(digits, names):
    """The names of digits."""
    return [names[digit] for digit in digits]


decoder = RNNDecoder(nhidden=128, random_state=0).fit(X, spelled(d, ENGLISH))
right = decoder.score(X_test, spelled(d_test, ENGLISH))
print(f"{right:.1%} of {len(X_test)} unseen images are spelled without a mistake,")
print(f"such as {', '.join(decoder.predict(X_test[:5]))}.")

# %%
# What it does when it is not sure
# --------------------------------
# A classifier that is not sure is still right or wrong. A decoder may begin one word
# and end another one. ``predict`` goes on with the likeliest letter, and may thereby
# miss a likelier word. With a ``beam_width``, several beginnings go on side by side.
# ``predict_n_best`` tells the likeliest words that are found so, each with the
# logarithm of its probability.

predicted = decoder.predict(X_test)
strange = sorted({name for name in predicted if name not in ENGLISH})
print(f"\nWords that it has never read: {', '.join(strange) or 'none'}")
best = decoder.predict_n_best(X_test, n_best=4)
doubtful = int(np.argmin([sequences[0][1] for sequences in best]))
print(f"The image of which it is least sure is {ENGLISH[d_test[doubtful]]}:")
for name, log_p in best[doubtful]:
    print(f"  {np.exp(log_p):6.1%} {name}")
decoder.set_params(beam_width=4)
right = decoder.score(X_test, spelled(d_test, ENGLISH))
print(f"With a beam of 4, {right:.1%} are spelled without a mistake.")

# %%
# A second language
# -----------------
# One more feature says in which language to write. The network learns from each image
# twice, and the same weights spell both.


def in_language(pixels, is_german):
    """The pixels, and 1 or 0 for the language."""
    return np.column_stack([pixels, np.full(len(pixels), is_german)])


both = RNNDecoder(nhidden=128, random_state=0).fit(
    np.concatenate([in_language(X, 0), in_language(X, 1)]),
    spelled(d, ENGLISH) + spelled(d, GERMAN),
)
print()
for name, names, is_german in (("English", ENGLISH, 0), ("German", GERMAN, 1)):
    x = in_language(X_test, is_german)
    right = both.score(x, spelled(d_test, names))
    print(f"{name}: {right:.1%} right, such as {', '.join(both.predict(x[:5]))}")

# %%
# Half-way between them
# ---------------------
# At 0.5, which it has never seen, the language is open, and samples are of either. How
# many are German, as the feature goes from 0 to 1?

shares, amounts = [], np.linspace(0, 1, 11)
for amount in amounts:
    drawn = both.sample(in_language(X_test, amount), random_state=0)
    shares.append(np.mean([name in GERMAN for name in drawn]))
print(f"\nHalf-way, {shares[5]:.0%} of the samples are German.")

# %%

figure, axes = plt.subplots(2, 5, figsize=(10, 5), layout="constrained")
in_english, in_german = (both.predict(in_language(X_test, k)) for k in (0, 1))
names = zip(in_english, in_german, strict=True)
for ax, image, (english, german) in zip(axes.flat[:-1], X_test, names, strict=False):
    ax.imshow(image.reshape(8, 8), cmap="gray_r")
    ax.set(title=f"{english}, {german}", xticks=[], yticks=[])
axes.flat[-1].plot(amounts, shares, marker="o")
axes.flat[-1].set(xlabel="language", ylabel="share of German")
if arguments.figure:
    figure.savefig(arguments.figure)
plt.show()
