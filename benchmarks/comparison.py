"""Settings beside each other and beside the defaults, over all data sets at once."""

import numpy as np
import timing
from scipy.stats import rankdata
from scores import figure, measure_of

DEFAULTS, BEFORE = "", "defaults before"


def compare(runs, data_sets):
    """Tables of all settings that `runs` have: by data set, and in the mean.

    Parameters
    ----------
    runs : list of dict
        Those of our estimator have a "setting", others None there.
    data_sets : dict of str to DataSet

    Returns
    -------
    tables : str
        Markdown. Only fits on the same split with the same seed are compared.
    """
    by_set = {}
    for run in runs:
        by_set.setdefault(run["data set"], []).append(run)
    settings = [r["setting"] for r in runs if r["setting"] is not None]
    settings = list(dict.fromkeys(settings))
    lines, compared = [], []
    for name, chosen in by_set.items():
        column = measure_of(data_sets[name].task)
        paired = settings and _paired(chosen, settings)
        if not paired:
            continue
        scores = {s: np.mean([r[column] for r in paired[s]]) for s in settings}
        compared.append(_compared(paired, column))
        lines.append(_line(name, column, chosen, paired, scores))
    if not lines:
        return ""
    titles = {s: s or "defaults" for s in settings}
    start = ["data set", "measure", "fits", "trained on", "held out"]
    columns = [*start, *titles.values(), "seconds a fit", "best peer"]
    parts = [timing.markdown_table(lines, columns)]
    if len(settings) > 1 and DEFAULTS in settings:
        parts.append(_summary(compared, titles))
    return "\n\n".join(parts)


def defaults_before(runs, earlier):
    """What an earlier version reached with its defaults on the same splits.

    Parameters
    ----------
    runs : list of dict
        Of this version.
    earlier : iterable of dict
        Those that have no counterpart in `runs` are left out.

    Returns
    -------
    before : list of dict
        With a setting of their own.
    """
    entries = ("part", "data set", "split", "steps", "seed")
    known = {
        tuple(run[e] for e in entries) for run in runs if run["setting"] == DEFAULTS
    }
    return [
        run | {"setting": BEFORE}
        for run in earlier
        if run["setting"] == DEFAULTS and tuple(run[e] for e in entries) in known
    ]


def _paired(runs, settings):
    """Runs by setting, those of each on the same splits, with the same seeds."""
    found = {s: {} for s in settings}
    for run in runs:
        if run["setting"] is not None:
            found[run["setting"]][run["split"], run["seed"]] = run
    common = sorted(set.intersection(*map(set, found.values())))
    return common and {s: [found[s][key] for key in common] for s in settings}


def _line(name, column, runs, paired, scores):
    """A line of the table of data sets."""
    first = next(iter(paired.values()))
    splits = {run["split"] for run in first}
    peers = {}
    for run in runs:
        if not run["is ours"] and run["split"] in splits:
            peers.setdefault(run["model"], []).append(run[column])
    line = {
        "data set": name,
        "measure": column,
        "fits": len(first),
        "trained on": _size(first),
        "held out": first[0]["n held out"],
        "seconds a fit": " / ".join(
            f"{np.median([r['fit seconds'] for r in paired[s]]):.1f}" for s in paired
        ),
    }
    line |= {s or "defaults": figure(score, column) for s, score in scores.items()}
    if peers:
        means = {model: np.mean(scores) for model, scores in peers.items()}
        best = (max if column.endswith("accuracy") else min)(means, key=means.get)
        line["best peer"] = f"{figure(means[best], column)} ({best})"
    return line


def _size(runs):
    n, n_all = runs[0]["n trained on"], runs[0]["n of fold"]
    return f"{n}" if n == n_all else f"{n} of {n_all}"


def _compared(paired, column):
    """Errors and seconds of each setting on a data set."""

    def error(run):
        return 1 - run[column] if column.endswith("accuracy") else run[column]

    return {
        s: (
            float(np.mean([error(run) for run in paired[s]])),
            float(np.median([run["fit seconds"] for run in paired[s]])),
        )
        for s in paired
    }


def _summary(compared, titles):
    """A line for each setting: what it is worth in the mean over data sets."""
    errors = np.array([[by[s][0] for s in titles] for by in compared])
    seconds = np.array([[by[s][1] for s in titles] for by in compared])
    defaults = list(titles).index(DEFAULTS)
    # Differences that only rounding makes are ties.
    errors = errors.round(9)  # (n_data_sets, n_settings)
    ranks = rankdata(errors, axis=1)
    base = errors[:, [defaults]]
    removed = share_removed(errors, base)
    ratios = seconds / seconds[:, [defaults]]
    lines = []
    for i, title in enumerate(titles.values()):
        spread = (
            removed[:, i].std(ddof=1) / len(removed) ** 0.5 if len(removed) > 1 else 0
        )
        lines.append(
            {
                "setting": title,
                "data sets": len(errors),
                "mean rank": f"{ranks[:, i].mean():.2f}",
                "error removed": f"{removed[:, i].mean():+.1%} ± {spread:.1%}",
                "better / worse": f"{(errors[:, i] < base[:, 0]).sum()} / "
                f"{(errors[:, i] > base[:, 0]).sum()}",
                "times as long": f"{np.exp(np.log(ratios[:, i]).mean()):.2f}",
            }
        )
    lines.sort(key=lambda line: float(line["mean rank"]))
    return timing.markdown_table(lines, list(lines[0]))


def share_removed(errors, base):
    """1 - error / error of the defaults, -1 at the least, 0 where both are 0.

    A set of few sequences, on which the defaults make one error, does not outweigh
    all others.
    """
    removed = np.zeros_like(errors)
    np.divide(base - errors, base, out=removed, where=base > 0)
    removed[(base == 0) & (errors > 0)] = -1
    return np.maximum(removed, -1)
