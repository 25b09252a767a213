"""From lists of tokens to numbers that stand for them."""

from collections import defaultdict
from itertools import chain

import numpy as np

from skrnn._core.sequences import Sequences, locate
from skrnn._messages import as_plain, cure_for, describe, mixed_kinds
from skrnn._reading.kinds import INTEGERS, REALS
from skrnn._reading.offsets import offsets_of


class Numbering:
    """Numbers for tokens, in the order of their first appearance.

    Attributes
    ----------
    known : list
        The tokens that have a number.
    """

    def __init__(self):
        self._number_of = defaultdict()
        self._number_of.default_factory = self._number_of.__len__

    @property
    def known(self):
        return [as_plain(token) for token in self._number_of]

    def of(self, tokens, n_tokens):
        """The numbers of the tokens in an iterable, int32."""
        return np.fromiter(map(self._number_of.__getitem__, tokens), np.int32, n_tokens)


def read_tokens(X):
    """Read lists, tuples or arrays of strings and integers."""
    for i, item in enumerate(X):
        is_list = isinstance(item, (list, tuple))
        if not is_list and not (isinstance(item, np.ndarray) and item.ndim == 1):
            raise TypeError(mixed_kinds(item, i, "tokens"))
    lengths = np.fromiter(map(len, X), dtype=np.int64, count=len(X))
    offsets = offsets_of(lengths)

    def all_tokens():
        return chain.from_iterable(
            item.tolist() if isinstance(item, np.ndarray) else item for item in X
        )

    numbering = Numbering()
    try:
        places = numbering.of(all_tokens(), int(offsets[-1]))
        types = set(map(type, numbering.known))  # of distinct tokens only
    except TypeError:  # a token is not hashable, and therefore not valid
        types = set(map(type, all_tokens()))
    odd = {t for t in types if not issubclass(t, (str, *INTEGERS))}
    if odd:
        tokens = enumerate(all_tokens())
        row, token = next((row, t) for row, t in tokens if type(as_plain(t)) in odd)
        i, step = locate(offsets, row)
        cure = cure_for(token)
        if all(issubclass(t, REALS) for t in types):
            cure = "If X holds measurements, use analyzer='series' in fit, which reads "
            cure += "integers as numbers, too. Otherwise drop or convert it."
        raise TypeError(
            f"X[{i}] has {describe(token)} at step {step}: tokens must be "
            f"strings or integers. {cure}"
        )
    return Sequences("tokens", places, offsets, numbering.known)
