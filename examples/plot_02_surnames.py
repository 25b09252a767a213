"""
=====================================
Order tells the language of a surname
=====================================

The first and last letters of a surname say much about its origin: van der, -ová, -nen,
-sson. A bag of characters discards their order. How much does a network gain by keeping
it, and how does it compare with the best simple alternative, n-grams?

To try it on your own data, pass the path of a CSV file with a header row, and with a
name and a label in the first two columns: ``python plot_02_surnames.py names.csv``.
"""

# %%
# Real surnames of 14 languages
# -----------------------------
# The faker package contains lists of real surnames. We use 14 lists in Latin script. A
# name that is in the lists of two languages has no unique correct answer and is
# dropped. At most 500 random names are taken from each list, to keep the classes
# similar in size. The names of a CSV file are used unchanged.

import argparse
import csv
import random
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
from sklearn import metrics
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skrnn import RNNClassifier, RNNEncoder

# language: locale of faker, and the attribute of its provider that holds the list
lists = {
    "Croatian": ("hr_HR", "last_names"),
    "Czech": ("cs_CZ", "last_names"),
    "Dutch": ("nl_NL", "last_names"),
    "English": ("en_GB", "last_names"),
    "Estonian": ("et_EE", "last_names_est"),
    "Finnish": ("fi_FI", "last_names"),
    "French": ("fr_FR", "last_names"),
    "German": ("de_DE", "last_names"),
    "Irish": ("ga_IE", "last_names"),
    "Italian": ("it_IT", "last_names"),
    "Polish": ("pl_PL", "unisex_last_names"),
    "Slovak": ("sk_SK", "last_names"),
    "Spanish": ("es_ES", "last_names"),
    "Swedish": ("sv_SE", "last_names"),
}


def read_faker():
    """Return at most 500 (name, language) pairs from each list."""
    names = {}
    for language, (locale, attribute) in lists.items():
        provider = import_module(f"faker.providers.person.{locale}").Provider
        names[language] = sorted(set(getattr(provider, attribute)))
    n_lists = Counter(name for language in names for name in names[language])
    pairs = []
    for language in names:
        kept = [(name, language) for name in names[language] if n_lists[name] == 1]
        pairs += random.Random(0).sample(kept, min(500, len(kept)))
    return pairs


def read_csv(path):
    """Return the first two columns of a CSV file as pairs, without the header row."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        return [row[:2] for row in csv.reader(file) if row][1:]


parser = argparse.ArgumentParser(description="Tell the language of a surname.")
parser.add_argument("csv", nargs="?", help="a CSV file with names and labels")
parser.add_argument("--figure", help="where to save the figure, such as names.png")
parser.add_argument("--letters", help="where to save the figure of single letters")
is_script = Path(sys.argv[0]).name == "plot_02_surnames.py"  # not a notebook or a test
arguments = parser.parse_args(sys.argv[1:] if is_script else [])

X, y = zip(*(read_csv(arguments.csv) if arguments.csv else read_faker()), strict=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"{len(X_train)} training and {len(X_test)} test names, {len(set(y))} labels")

# %%
# Four models, one split
# ----------------------
# The first two models end in the same forest. Its inputs are character counts in the
# first model and the codes of a recurrent network in the second. In the third model,
# the network itself predicts the class. The fourth model uses all n-grams of one to
# five characters.

ngrams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5))
models = {
    "bag of characters + forest": make_pipeline(
        CountVectorizer(analyzer="char"), RandomForestClassifier(random_state=0)
    ),
    "RNNEncoder + forest": make_pipeline(
        RNNEncoder(random_state=0), RandomForestClassifier(random_state=0)
    ),
    "RNNClassifier": RNNClassifier(random_state=0),
    "n-gram TF-IDF + LinearSVC": make_pipeline(ngrams, LinearSVC(random_state=0)),
}

print("\nmodel                       accuracy  macro F1  fit seconds")
for name, model in models.items():
    start = perf_counter()
    model.fit(X_train, y_train)
    seconds = perf_counter() - start
    y_pred = model.predict(X_test)
    accuracy = metrics.accuracy_score(y_test, y_pred)
    macro_f1 = metrics.f1_score(y_test, y_pred, average="macro")
    print(f"{name:26s}  {accuracy:8.3f}  {macro_f1:8.3f}  {seconds:11.1f}")

# %%
# What it thinks after each letter
# --------------------------------
# The network reads from left to right, so it can be asked after each letter. Martinez,
# Martinelli and Martinsson begin alike, and up to the *n* they might be French. None of
# the three is in the training data.

names = ["Martinez", "Martinelli", "Martinsson"]
rnn = models["RNNClassifier"]
figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True, layout="constrained")
for axis, name in zip(axes, names, strict=True):
    p = rnn.predict_proba([name[:n] for n in range(1, len(name) + 1)])
    for column in sorted(p.max(axis=0).argsort()[-3:]):
        color = f"C{column % 10}"
        axis.plot(p[:, column], "o-", color=color, label=rnn.classes_[column])
    axis.set_xticks(range(len(name)), name)
    axis.set(title=f"{name}: {rnn.predict([name])[0]}", ylim=(0, 1.02))
    axis.legend(fontsize=8, loc="upper left")
axes[0].set_ylabel("probability so far")
if arguments.letters:
    figure.savefig(arguments.letters)

# %%
# How long should h be?
# ---------------------
# ``nhidden`` is the length of the hidden state ``h``. It can be searched like any
# parameter in scikit-learn.

rnn = RNNClassifier(random_state=0)
search = GridSearchCV(rnn, {"nhidden": [16, 32, 64]}, cv=3).fit(X_train, y_train)
print("\nnhidden  accuracy (mean of 3 folds)")
scores = search.cv_results_["mean_test_score"]
for nhidden, score in zip([16, 32, 64], scores, strict=True):
    print(f"{nhidden:7d}  {score:8.3f}")

# %%
# Which languages look alike?
# ---------------------------
# Each row of the figure is a true language and sums to 100 %. Neighbouring languages
# are confused most, such as Czech and Slovak, which share many endings.

figure, axis = plt.subplots(figsize=(9, 8), layout="constrained")
y_pred = models["RNNClassifier"].predict(X_test)
matrix = metrics.confusion_matrix(y_test, y_pred, normalize="true")
display = metrics.ConfusionMatrixDisplay(matrix, display_labels=sorted(set(y)))
display.plot(ax=axis, cmap="Blues", values_format=".0%", colorbar=False)
axis.tick_params("x", rotation=90)
axis.set_title("RNNClassifier on unseen surnames")
if arguments.figure:
    figure.savefig(arguments.figure)
accuracy = metrics.accuracy_score(y_test, y_pred)
print(f"\nRNNClassifier names the language of {accuracy:.1%} of unseen surnames.")
plt.show()
