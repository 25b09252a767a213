"""Time functions side by side, and write down what came out."""

import gc
import json
import statistics
import time
from pathlib import Path
from typing import NamedTuple


class Timing(NamedTuple):
    """Seconds of one function.

    Attributes
    ----------
    median : float
    seconds : list of float
        One entry for each round, in order.
    """

    median: float
    seconds: list


def alternate(functions, rounds=5):
    """Time functions in turn, so that a busy neighbour slows all of them alike.

    Parameters
    ----------
    functions : dict of str to callable
        Called without arguments.
    rounds : int
        In each round every function runs once, and each round starts with another
        one. A round that is not timed comes first.

    Returns
    -------
    timings : dict of str to Timing
    """
    seconds = {name: [] for name in functions}
    names = list(functions)
    for function in functions.values():
        function()
    for i in range(rounds):
        start_at = i % len(names)
        for name in names[start_at:] + names[:start_at]:
            gc.collect()
            start = time.perf_counter()
            functions[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: summarise(seconds[name]) for name in names}


def summarise(seconds):
    """The Timing of a list of seconds."""
    return Timing(statistics.median(seconds), list(seconds))


def markdown_table(rows, columns):
    """A Markdown table.

    Parameters
    ----------
    rows : list of dict
        Entries by column; an absent one leaves its cell empty, a float is printed
        with three significant digits.
    columns : list of str

    Returns
    -------
    table : str
    """
    lines = [columns, ["---"] * len(columns)]
    lines += [[_format(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _format(entry):
    return f"{entry:#.3g}".rstrip(".") if isinstance(entry, float) else str(entry)


def write_json(path, result):
    """Write `result`, of dicts, lists and numbers, to a file."""
    Path(path).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
