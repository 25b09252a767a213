"""
=============================
Dates as everyone writes them
=============================

"March 3, 1999", "03.03.1999", "3 Mar 99": people write dates as they like, and programs
want 1999-03-03. Rules for all of that are long. A sequence-to-sequence model learns
them from examples: an encoder reads a date, a decoder writes it again, character by
character, and attention shows where it looks meanwhile.
"""

# %%
# Dates in eight formats
# ----------------------
# The days are random, and those of the test are none of the training data.

import argparse
import datetime
import random
import sys
from pathlib import Path

import matplotlib.pyplot as plt

from skrnn import RNNSeq2Seq
from skrnn.inspection import AttentionDisplay

parser = argparse.ArgumentParser(description="Read dates.")
parser.add_argument("--figure", help="where to save the figure, such as dates.png")
parser.add_argument("--n-dates", type=int, default=4000, help="number of examples")
is_script = Path(sys.argv[0]).name == "plot_06_seq2seq.py"  # not a notebook
arguments = parser.parse_args(sys.argv[1:] if is_script else [])

FORMATS = ["%d %B %Y", "%B %d, %Y", "%d.%m.%Y", "%m/%d/%Y", "%A, %d %B %Y"]
FORMATS += ["%Y%m%d", "%b %d %y", "%d-%b-%Y"]
first = datetime.date(1970, 1, 1)
days = [first + datetime.timedelta(days=day) for day in range(98 * 365)]
draw = random.Random(0)
draw.shuffle(days)


def written(days):
    """Some days in any of the formats, and all in one."""
    return [day.strftime(draw.choice(FORMATS)) for day in days], list(map(str, days))


X, y = written(days[: arguments.n_dates])
X_test, y_test = written(days[-500:])
print(f"{len(X)} examples, such as {X[0]!r} -> {y[0]!r} and {X[1]!r} -> {y[1]!r}")

# %%
# Learning to read them
# ---------------------
# X and y are lists of strings. `score` is the share of dates without a mistake.

model = RNNSeq2Seq(nhidden=64, max_iter=30, random_state=0).fit(X, y)
right = model.score(X_test, y_test)
print(f"{right:.1%} of {len(X_test)} unseen days are read without a mistake.")

# %%
# What it is sure of
# ------------------
# Two digits do not tell the century, but all years of the training data are from 1970
# to 2067. ``predict_n_best`` tells the likeliest answers, each with the logarithm of
# its probability. With ``label_smoothing``, as by default, none is near 1: what counts
# is how far the second one is behind.

for date in ("Jun 05 69", "Jun 05 70", "06/05/2024", "05 June 2024"):
    (best,) = model.predict_n_best([date], n_best=2)
    print(f"{date:>12}:", ", ".join(f"{y} ({log_p:.2f})" for y, log_p in best))

# %%
# Without attention
# -----------------
# Otherwise, all that the decoder knows of a date is in the state in which it starts.

without = RNNSeq2Seq(nhidden=64, max_iter=30, attention=None, random_state=0)
score = without.fit(X, y).score(X_test, y_test)
print(f"Without attention, {score:.1%} are read without a mistake.")

# %%
# Where it looks
# --------------
# Each row shows which characters are read while one is written. The first column is the
# start that is read before each string, and the last row is the end. The numbers come
# from ``attention_weights``.

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
AttentionDisplay.from_estimator(model, "Sunday, 03 March 2024", ax=ax)
if arguments.figure:
    figure.savefig(arguments.figure)
plt.show()
