"""
=====================================
A hyphen, or none, before each letter
=====================================

A tagger answers at every step: it gives each step of a sequence a tag. Where may an
English word be hyphenated? Each letter of a word is a step, whose tag says whether a
hyphen may stand before it. The letters on both sides matter: "pre-sen-ta-tion" is
hyphenated where "present" is not, because of what follows.

To hyphenate words of your own, pass them: ``python plot_03_tagging.py recurrent``.
"""

# %%
# Words and their hyphens
# -----------------------
# The words are those of Python's own help and of the docstrings in its standard
# library. The pyphen package knows where they may be hyphenated, from a list of
# patterns [1]_. A fifth of the words is held out.

import argparse
import random
import re
import sys
from importlib import import_module
from pathlib import Path
from pydoc_data.topics import topics
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pyphen

from skrnn import RNNTagger

parser = argparse.ArgumentParser(description="Learn where words may be hyphenated.")
parser.add_argument("words", nargs="*", help="words to hyphenate")
parser.add_argument("--figure", help="where to save the figure, such as hyphens.png")
is_script = Path(sys.argv[0]).name == "plot_03_tagging.py"  # not a notebook
arguments = parser.parse_args(sys.argv[1:] if is_script else [])

modules = (
    "argparse collections difflib doctest fractions gettext inspect locale logging "
    "optparse os pathlib pdb pickle random re shutil socket statistics string "
    "subprocess tarfile tempfile textwrap threading turtle typing zipfile"
)
texts = list(topics.values())
for name in modules.split():
    source = Path(import_module(name).__file__).read_text(encoding="utf-8")
    texts += re.findall(r'"""(.*?)"""', source, re.DOTALL)
inside_a_sentence = re.compile(r"(?<= )[a-z]{4,}(?=,? [a-z]|\. )")
words = sorted({word for text in texts for word in inside_a_sentence.findall(text)})
random.Random(0).shuffle(words)

patterns = pyphen.Pyphen(lang="en_US")


def tags_of(word):
    """A tag for each letter: "-" if a hyphen may stand before it, or "."."""
    places = patterns.positions(word)
    return "".join("-" if i in places else "." for i in range(len(word)))


def hyphenated(word, tags):
    """A word with its hyphens."""
    return "".join("-" * (tag == "-") + c for c, tag in zip(word, tags, strict=True))


n_train = 4 * len(words) // 5
train, test = words[:n_train], words[n_train:]
y_train, y_test = map(tags_of, train), list(map(tags_of, test))

# %%
# Learning to hyphenate
# ---------------------
# A string of tags will do for y: its characters are the tags of the letters. Most
# letters have no hyphen before them, so we also count the words whose hyphens are all
# found, with none too many.

start = perf_counter()
tagger = RNNTagger(random_state=0).fit(train, list(y_train))
seconds = perf_counter() - start
print(f"{len(train):,} words to learn from, {len(test):,} to be hyphenated")
print(f"Accuracy of the tags: {tagger.score(test, y_test):.1%} ({seconds:.0f} s)")
found = ["".join(tags) for tags in tagger.predict(test)]
share = np.mean([tags == y for tags, y in zip(found, y_test, strict=True)])
guess = np.mean(["-" not in y for y in y_test])
print(f"Words without a mistake: {share:.1%}; {guess:.1%} if none is hyphenated")

# %%
# How sure is it?
# ---------------
# ``predict_proba`` has a row for each step, and a column for each of ``classes_``.

shown = arguments.words or ["present", "presentation", "convention", "covenant"]
probabilities = tagger.predict_proba(shown)
column = list(tagger.classes_).index("-")
print(*map(hyphenated, shown, tagger.predict(shown)), sep=", ")

figure, axes = plt.subplots(
    len(shown), figsize=(8, 1 + len(shown)), sharey=True, squeeze=False
)
for ax, word, p in zip(axes.flat, shown, probabilities, strict=True):
    ax.bar(np.arange(len(word)) - 0.5, p[:, column], width=0.3)
    ax.set_xticks(range(len(word)), word)
    ax.set(xlim=(-1, max(map(len, shown))), ylim=(0, 1))
figure.supylabel("probability of a hyphen")
figure.tight_layout()
if arguments.figure:
    figure.savefig(arguments.figure)
plt.show()

# %%
# .. [1] Liang (1983), "Word Hy-phen-a-tion by Com-put-er", Stanford University.
