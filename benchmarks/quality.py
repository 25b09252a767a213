"""Accuracy on all data sets, beside what else users could run.

    python benchmarks/quality.py --data DIR [--only NAMES] [--seeds N] [--json FILE]
    python benchmarks/quality.py --data DIR --validate [--set KEY=VALUE ...] [--set ...]

DIR holds the files that datasets.py reads (or set SKRNN_DATA); names: {names}.

Without --validate all models, as models.py fixes them, are fitted on the training part
of a data set; the test part is read once, after the last fit, so no choice can depend
on it. Models that have a seed are fitted with N of them, 3 by default. The last line
says on how many data sets our defaults reach the figure that is to beat. The exit
status is 1 if that is missed on more than {missed}, or on one by more than {far} (RMSE:
{far_ratio:.0%}), or if a model falls below what this version promises.

With --validate no test part is read. The training part is split into five folds
instead; of taggers, the part that is there to choose by is scored. Only here can --set
change parameters of our estimators, to choose defaults and the best documented setting.
Each --set is a setting of its own, which is compared with the defaults on the same
splits, with the same seeds:

    --set bidirectional=True --set cell=gru nhidden=64 --set "text:ngram_range=(1, 5)"

The last one leaves the defaults to what is not of the kind text (tokens, series).
Then follows a table of all settings by data set, and their mean rank over the data
sets, the mean share of error that they remove, with its standard error, and how much
longer they take. So that this ends, there are at most --folds splits of each data set
(5), fewer once {held_out} sequences have been held out, and no fit learns from more
than --steps steps (250,000): of data sets with more, a random part is taken, and the
table says how much. --models chooses rows by name: "RNNClassifier*" "RNNRegressor*".

Each fit is appended to the file of --json, and what that file has, of the same code, is
not fitted again: a run can be interrupted, go on, or be given more folds or settings.
Two processes share it, if --only gives each other data sets; the same command without
--only then prints everything. --before FILE compares with what the file of an earlier
version says of its defaults.

Columns: mean and standard deviation over the fits; medians of seconds. The calibration
error is that of the largest probability, in 15 bins; RMSE is in the unit of y.
"""

import argparse
import ast
import fnmatch
import sys
from importlib.util import find_spec
from pathlib import Path

from comparison import compare, defaults_before
from datasets import DATA_SETS, data_folder
from folds import HELD_OUT
from measuring import test, validate
from models import PEERS_OF, models_of, our_name, params_for, setting_name
from runs import Runs
from scores import mean_of, measure_of, tables

FOREST, BAG = "RNNEncoder + forest", "bag of characters + forest"
# What other models reach on the test parts: for each data set the best figure of those
# that a user would take instead.
PEERS = {
    "names": 0.854,
    "first_names": 0.869,
    "dga": 0.911,
    "dga_family": 0.794,
    "splice": 0.939,
    "sms_spam": 0.991,
    "trec": 0.902,
    "subjectivity": 0.920,
    "ppattach": 0.835,
    "JapaneseVowels": 0.978,
    "BasicMotions": 1.000,
    "GunPoint": 0.993,
    "ItalyPowerDemand": 0.966,
    "ArrowHead": 0.863,
    "OSULeaf": 0.959,
    "PickupGestureWiimoteZ": 0.800,
    "PLAID": 0.948,
    "Tecator": 2.17,
    "Covid3Month": 0.0443,
    "ESOL": 0.849,
    "lipophilicity": 0.760,
    "freesolv": 1.496,
    "EWT": 0.941,
    "Maltese": 0.937,
    "WNUT17": 0.928,
}
MISSED = 4  # data sets on which the defaults may stay behind them,
FAR = 0.03  # by no more than this,
FAR_RATIO = 0.1  # or this share of an RMSE
# What this version promises, by data set: a sentence, and a function of
# ``mean(model, column)`` that says whether it is kept.
PROMISES = {
    "names": {
        "RNNClassifier is at least 0.85 accurate": lambda mean: (
            mean("RNNClassifier", "accuracy") >= 0.85
        ),
        "a forest on the codes is within 0.02 of it": lambda mean: (
            abs(mean(FOREST, "accuracy") - mean("RNNClassifier", "accuracy")) <= 0.02
        ),
        "both are 0.08 above a bag of characters": lambda mean: (
            min(mean(FOREST, "accuracy"), mean("RNNClassifier", "accuracy"))
            > mean(BAG, "accuracy") + 0.08
        ),
    },
    "JapaneseVowels": {
        "RNNClassifier is at least 0.97 accurate": lambda mean: (
            mean("RNNClassifier", "accuracy") >= 0.97
        ),
    },
    "Tecator": {
        "RNNRegressor is better than 2.5 off": lambda mean: (
            mean("RNNRegressor", "RMSE") <= 2.5
        ),
    },
    "EWT": {
        "RNNTagger is at least 0.945 accurate": lambda mean: (
            mean("RNNTagger", "token accuracy") >= 0.945
        ),
    },
    "Maltese": {
        "RNNTagger is at least 0.94 accurate": lambda mean: (
            mean("RNNTagger", "token accuracy") >= 0.94
        ),
    },
    "WNUT17": {
        "RNNTagger is at least 0.928 accurate": lambda mean: (
            mean("RNNTagger", "token accuracy") >= 0.928
        ),
    },
}


def unconcerned(results, settings, data_set):
    """The runs with the defaults, once more for settings that leave them as they are.

    Returns
    -------
    copies : list of dict
    """
    return [
        run | {"setting": text, "model": f"{run['model']}, {text}"}
        for params in settings
        if not params_for(params, data_set.kind)
        for run in results
        if run["setting"] == "" and (text := setting_name(params))
    ]


def broken_promises(results):
    """What this version promises and the results do not keep.

    Returns
    -------
    broken : list of str
    """
    broken = []
    for data_set, promises in PROMISES.items():
        chosen = [run for run in results if run["data set"] == data_set]

        def mean(model, column, chosen=chosen):
            return mean_of(chosen, model, column)

        if chosen:
            broken += [text for text, is_kept in promises.items() if not is_kept(mean)]
    return broken


def beside_peers(results):
    """Where our defaults reach what is to beat, and where they do not.

    Returns
    -------
    sentence : str
        "" if no data set has such a figure.
    is_enough : bool
    """
    reached, missed, far = [], [], []
    for name, bar in PEERS.items():
        chosen = [run for run in results if run["data set"] == name]
        if not chosen:
            continue
        task = DATA_SETS[name].task
        mean = mean_of(chosen, our_name(DATA_SETS[name]), measure_of(task))
        if task != "regression":
            # One case of the test part more would be enough.
            case = 1 / chosen[0]["n held out"] if task == "classification" else 0.0
            is_reached = mean >= bar - case - 1e-9
            is_far = mean < bar - FAR - 1e-9
        else:
            is_reached, is_far = mean <= bar, mean > bar * (1 + FAR_RATIO)
        text = f"{name} ({mean:.3g} instead of {bar:.3g})"
        (reached if is_reached else far if is_far else missed).append(text)
    n_measured = len(reached) + len(missed) + len(far)
    if not n_measured:
        return "", True
    sentence = (
        f"The defaults reach the best peer, or come within one test case of it, on "
        f"{len(reached)} of {n_measured} data sets."
    )
    if missed:
        sentence += f" Behind it: {', '.join(missed)}."
    if far:
        sentence += (
            f" Behind it by more than {FAR} (RMSE: {FAR_RATIO:.0%}): {', '.join(far)}."
        )
    return sentence, not far and len(missed) <= MISSED


def setting(text):
    """A parameter and its value, from "key=value" or "kind:key=value".

    The value is a Python literal, or else a string.
    """
    key, equals, value = text.partition("=")
    kind = key.rpartition(":")[0]
    if not equals or kind not in ("", *PEERS_OF):
        raise argparse.ArgumentTypeError(
            f"KEY=VALUE or KIND:KEY=VALUE expected, of kind {', '.join(PEERS_OF)}; "
            f"got {text!r}."
        )
    try:
        return key, ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return key, value


def parse(arguments):
    """Read the command line, and refuse what would allow a choice by test score."""
    described = __doc__.format(
        names=", ".join(DATA_SETS),
        missed=MISSED,
        far=FAR,
        far_ratio=FAR_RATIO,
        held_out=f"{HELD_OUT:,}",
    )
    parser = argparse.ArgumentParser(
        description=described, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", help="folder of the data files; or SKRNN_DATA")
    add("--json", type=Path, metavar="FILE", help="a line of JSON for each fit")
    add("--only", nargs="+", choices=DATA_SETS, metavar="NAMES", help="data sets")
    add("--seeds", type=int, metavar="N", help="3, or 1 with --validate")
    add(
        "--compositions",
        action="store_true",
        help="only ensembles and calibration of our classifier, on names",
    )
    add("--validate", action="store_true", help="split the training part")
    add("--set", nargs="+", action="append", type=setting, metavar="KEY=VALUE")
    add("--models", nargs="+", default=["*"], metavar="PATTERN")
    add("--before", type=Path, metavar="FILE", help="--json of an earlier version")
    add("--folds", type=int, metavar="N", help="splits of a data set, at most; 5")
    add("--steps", type=int, metavar="N", help="to learn from, at most; 250,000")
    parsed = parser.parse_args(arguments)
    chosen = (parsed.set, parsed.folds, parsed.steps, parsed.before)
    if not parsed.validate and (any(chosen) or parsed.models != ["*"]):
        parser.error(
            "--set, --models, --folds, --steps, --before choose: they want --validate."
        )
    parsed.set = [dict(pairs) for pairs in parsed.set or []]
    return parsed


def measure_all(parsed):
    """Measure all that the command line asks for.

    Returns
    -------
    results : list of dict
    """
    folder, runs = data_folder(parsed.data), Runs(parsed.json)
    results = []
    for name in parsed.only or DATA_SETS:
        print(f"{name}:", file=sys.stderr, flush=True)
        data_set = DATA_SETS[name]
        models = models_of(data_set, parsed.set, parsed.compositions)
        wanted = {m for p in parsed.models for m in fnmatch.filter(models, p)}
        models = {model: models[model] for model in models if model in wanted}
        if not models:
            continue
        if parsed.validate:
            limits = parsed.folds or 5, parsed.steps or 250_000
            n_seeds = parsed.seeds or 1
            found = validate(data_set, folder, models, n_seeds, runs, *limits)
            results += found + unconcerned(found, parsed.set, data_set)
        else:
            results += test(data_set, folder, models, parsed.seeds or 3, runs)
    return results


def main(arguments=None):
    """Read the command line, measure, print."""
    parsed = parse(arguments)
    results = measure_all(parsed)
    if not find_spec("aeon"):
        print("MiniRocket: aeon is not installed.\n")
    if not find_spec("sklearn_crfsuite"):
        print("CRF: sklearn-crfsuite is not installed.\n")
    print(f"{tables(results)}\n")
    if parsed.validate:
        if parsed.before:
            results += defaults_before(results, Runs(parsed.before))
        print(compare(results, DATA_SETS))
    elif not parsed.compositions:
        sentence, is_enough = beside_peers(results)
        print(sentence)
        if broken := broken_promises(results):
            sys.exit(f"Not true: {'; '.join(broken)}.")
        if not is_enough:
            sys.exit("Not enough.")


if __name__ == "__main__":
    main()
