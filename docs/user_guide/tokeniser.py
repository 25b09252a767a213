"""What an exported network reads of strings and tokens, without skrnn."""

import re
import unicodedata
from collections import Counter
from itertools import groupby

import numpy as np


class Tokeniser:
    """From sequences to the inputs of a graph.

    Parameters
    ----------
    reading : dict
        ``json.loads(metadata["skrnn"])["reading"]``
    """

    def __init__(self, reading):
        self.__dict__.update(reading)
        self.id_of = dict(zip(map(as_key, self.grams), self.ids, strict=True))
        if self.subwords is not None:
            names, ids = self.subwords["names"], self.subwords["ids"]
            self.id_of_subword = {
                **dict(zip(names, ids, strict=True)),
                None: self.absent,
            }
        if self.wide is not None:
            grams, columns = map(self.wide.get, ("grams", "columns"))
            self.column_of = dict(zip(map(as_key, grams), columns, strict=True))

    def __call__(self, X):
        """The inputs for a list of sequences, at least one."""
        if isinstance(X, str) or len(X) == 0:  # without any, onnxruntime crashes
            raise ValueError("X is empty or a string: a list of sequences was expected")
        X = [self.tokens(x) for x in X]
        ids = [self.ids_of(x) for x in X]
        lengths = np.array([len(x) for x in X], np.int64)
        widths = [len(of_step) for of_x in ids for of_step in of_x]
        width = self.n_at_a_step or max([1, *widths])
        padded = np.zeros((len(X), max([1, *lengths]), width), np.int64)
        for of_x, row in zip(ids, padded, strict=True):
            for t, of_step in enumerate(of_x):
                row[t, : len(of_step)] = of_step
        padded = padded[:, :, 0] if self.n_at_a_step == 1 else padded
        of_wide = {} if self.wide is None else self.wide_inputs(X)
        return {"ids": padded, "lengths": lengths, **of_wide}

    def tokens(self, x):
        """The tokens of a sequence."""
        if self.kind in ("text", "words"):
            x = x.lower() if self.lowercase else x
            if self.strip_accents == "ascii":
                x = unicodedata.normalize("NFKD", x).encode("ascii", "ignore").decode()
            elif self.strip_accents == "unicode":
                x = unicodedata.normalize("NFKD", x)
                x = "".join(c for c in x if not unicodedata.combining(c))
        x = re.findall(r"\w+|[^\w\s]", x) if self.kind == "words" else list(x)
        if self.max_length is None or len(x) <= self.max_length:
            return x
        if self.overlong not in ("first", "last"):
            raise ValueError(f"{len(x)} steps, but max_length is {self.max_length}")
        is_first = self.overlong == "first"
        return x[: self.max_length] if is_first else x[-self.max_length :]

    def ids_of(self, x):
        """By step, the ids of the n-grams that end there, then those of subwords."""
        if self.kind == "features":
            found = ([(name,) for name in features_of(step)] for step in x)
            return [
                [self.id_of[key] for key in of if key in self.id_of] for of in found
            ]
        least, most = self.ngram_range
        ids = []
        for end, token in enumerate(x, start=1):
            lengths = range(least, most + 1)
            keys = [tuple(x[end - n : end]) if n <= end else None for n in lengths]
            ids.append([self.id_of.get(k, 0) if k else self.absent for k in keys])
            if self.subwords is not None:
                names = self.subwords_of(token)
                ids[-1] += [self.id_of_subword.get(name, 0) for name in names]
        return ids

    def subwords_of(self, token):
        """A token in lowercase, its beginnings, endings, shape and pattern."""
        lengths, most = self.subwords["lengths"], self.subwords["longest_pattern"]
        if not isinstance(token, str):
            return [None] * (2 + 2 * len(lengths) + (most > 0))
        lower, kinds = token.lower(), "".join(map(kind_of, token))
        return [
            f"<{lower}>",
            *(f"<{lower[:n]}" if len(lower) > n else None for n in lengths),
            *(f"{lower[-n:]}>" if len(lower) > n else None for n in lengths),
            "".join(kind for kind, _ in groupby(kinds)),
            *([f"~{''.join(map(kind_of, token[:most]))}"] if most else []),
        ]

    def wide_inputs(self, X):
        """Which n-grams occur in each sequence, and how often."""
        counts = [Counter(self.columns_of(x)) for x in X]
        shape = len(X), max([1, *map(len, counts)])
        columns, numbers = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
        for i, of_x in enumerate(counts):
            columns[i, : len(of_x)] = list(of_x)
            numbers[i, : len(of_x)] = list(of_x.values())
        return {"columns": columns, "counts": numbers}

    def columns_of(self, x):
        """The columns of the n-grams of a sequence that the wide path reads."""
        longest, n_places = self.wide["longest"], self.wide["n_places"]
        keys = grams_of(["\x02", *x, "\x03"] if self.wide["has_ends"] else x, longest)
        if n_places:  # pairs (place, token), and of few places those that are apart
            placed = list(enumerate(x))[:n_places]
            keys += grams_of(placed, longest)
            if n_places <= 8:
                keys += [(p, q) for i, p in enumerate(placed) for q in placed[i + 2 :]]
        return [self.column_of[key] for key in keys if key in self.column_of]


def as_key(gram):
    """An n-gram from JSON, for a dict."""
    return tuple(tuple(each) if isinstance(each, list) else each for each in gram)


def grams_of(x, longest):
    """All n-grams of a sequence."""
    ends = range(1, len(x) + 1)
    return [tuple(x[i:j]) for j in ends for i in range(max(0, j - longest), j)]


def kind_of(character):
    """X for an uppercase letter, x for any other, 0 for a digit."""
    if character.isalpha():
        return "X" if character.isupper() else "x"
    return "0" if character.isdigit() else character


def features_of(step):
    """The names of the features of a step."""
    if not isinstance(step, dict):
        return set(step)
    pairs = ((k, v) for k, v in step.items() if v or isinstance(v, str))
    return {f"{k}:{v}" if isinstance(v, str) else k for k, v in pairs}
