"""Equal sequences, found by a hash table."""

from skrnn._core.compiled import compiled


@compiled
def number(values, offsets, slots, first, places):
    """Number the distinct sequences, in the order in which they are found.

    Parameters
    ----------
    values : ndarray of shape (n_rows,), int
    offsets : ndarray of shape (n_sequences + 1,)
    slots : ndarray of shape (2**k,), int64
        All -1; more than there are sequences. Overwritten.
    first, places : ndarrays of shape (n_sequences,), int64
        Written: the first sequence with each number, and the number of each sequence.

    Returns
    -------
    n_distinct : int
    """
    n, last_slot = 0, len(slots) - 1
    for i in range(len(places)):
        digest = offsets[i + 1] - offsets[i]
        for row in range(offsets[i], offsets[i + 1]):
            digest = _mixed(digest ^ values[row])
        slot = digest & last_slot
        while slots[slot] >= 0 and not _are_equal(
            values, offsets, first[slots[slot]], i
        ):
            slot = (slot + 1) & last_slot
        if slots[slot] < 0:
            slots[slot] = n
            first[n] = i
            n += 1
        places[i] = slots[slot]
    return n


@compiled
def _mixed(digest):
    """Spread a number over 31 bits."""
    digest = (digest & 0x7FFFFFFF) * 0x2545F491  # less than 64 bits
    return (digest ^ (digest >> 31)) & 0x7FFFFFFF


@compiled
def _are_equal(values, offsets, i, j):
    n = offsets[i + 1] - offsets[i]
    if offsets[j + 1] - offsets[j] != n:
        return False
    for k in range(n):
        if values[offsets[i] + k] != values[offsets[j] + k]:
            return False
    return True
