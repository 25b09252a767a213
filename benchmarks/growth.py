"""How our seconds grow with the number of sequences and with the hidden state."""

from functools import partial

import machine
import numpy as np
import timing

import skrnn

N_SAMPLES = (10_000, 100_000, 1_000_000)
NHIDDEN = (32, 64, 128, 256, 512)
BATCH_SIZE = 256


def measure(data, rounds=3, n_samples=N_SAMPLES, nhidden=NHIDDEN):
    """Time fits of one epoch, from strings on, and predictions.

    Parameters
    ----------
    data : NamesData
    rounds : int
    n_samples : sequence of int
        Names are drawn with replacement.
    nhidden : sequence of int
        At all names, drawn once each.

    Returns
    -------
    lines : list of dict
    """
    rng = np.random.default_rng(0)
    drawn = {n: rng.integers(len(data.names), size=n) for n in n_samples}
    cases = [(100, indices) for indices in drawn.values()]
    cases += [(n, np.arange(len(data.names))) for n in nhidden]
    fits, predicts, lines = {}, {}, []
    for i, (size, indices) in enumerate(cases):
        names = [data.names[k] for k in indices]
        labels = [data.labels[k] for k in indices]
        classifier = skrnn.RNNClassifier(
            size,
            cell="rnn",
            ngram_range=(1, 1),
            batch_size=BATCH_SIZE,
            max_iter=1,
            random_state=0,
        )
        fits[i] = partial(classifier.fit, names, labels)
        predicts[i] = partial(classifier.predict, names)
        n_tokens = int(data.tokens.lengths[indices].sum())
        lines.append({"n_samples": len(names), "nhidden": size, "tokens": n_tokens})
    fits = timing.alternate(fits, rounds)
    predicts = timing.alternate(predicts, rounds)
    peak = machine.sgemm_peak()
    for i, line in enumerate(lines):
        tokens, fit, predict = line["tokens"], fits[i], predicts[i]
        operations = machine.recurrent_operations(tokens, "rnn", line["nhidden"])
        line |= {
            "fit": fit,
            "predict": predict,
            "tokens/s, fit": tokens / fit.median,
            "tokens/s, predict": tokens / predict.median,
            "fit, share of sgemm peak": operations / peak / fit.median,
        }
    return lines


def table(lines):
    """Markdown of what :func:`measure` returns."""
    shown = [
        {
            name: timing.Timing(*entry).median if name in ("fit", "predict") else entry
            for name, entry in line.items()
        }
        for line in lines
    ]
    return timing.markdown_table(shown, list(shown[0]))
