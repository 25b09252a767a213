"""What each parameter is for: the order in which the documentation presents them."""

import re
from dataclasses import fields

import skrnn
from skrnn._base import BaseRNN

PURPOSES = {
    "Network": "nhidden cell activation recurrence bidirectional pooling "
    "decoder decoder_nhidden attention condition transitions kernel_sizes patch_length",
    "Wide path": "wide_ngram_range n_wide_features",
    "Reading text and tokens": "analyzer lowercase strip_accents token_pattern "
    "ngram_range subwords min_df max_features vocabulary embeddings freeze_embeddings "
    "learn_end",
    "Reading numbers": "standardize differences missing",
    "Length of sequences": "max_length overlong truncate max_output_length",
    "Training": "learning_rate_init batch_size max_iter tol n_iter_no_change "
    "max_grad_norm class_weight teacher_forcing warm_start device",
    "Regularisation": "alpha dropout recurrent_dropout token_dropout label_smoothing",
    "Early stopping": "early_stopping validation_fraction",
    "Writing sequences": "beam_width length_penalty",
    "Reproducibility and progress": "random_state checkpoint checkpoint_interval "
    "verbose",
}
PURPOSES = {purpose: names.split() for purpose, names in PURPOSES.items()}


def is_estimator(obj):
    """Whether this is one of the estimators that share these parameters."""
    return isinstance(obj, type) and issubclass(obj, BaseRNN)


def estimators():
    """The public estimators."""
    public = (getattr(skrnn, name) for name in skrnn.__all__)
    return [cls for cls in public if is_estimator(cls)]


def names_of(cls):
    """The parameters of an estimator."""
    return [field.name for field in fields(cls) if field.init]


def all_names():
    """The parameters of all estimators."""
    return {name for names in PURPOSES.values() for name in names}


def grouped(lines):
    """The lines of numpydoc with a heading before the parameters of each purpose."""
    start = next((i for i, line in enumerate(lines) if line == ":Parameters:"), None)
    if start is None:
        return lines
    end = start + 1
    while end < len(lines) and not re.match(r"\S", lines[end]):
        end += 1
    text = "\n".join(lines[start + 1 : end])
    entry_start = r"^(?= {4}\*\*\w+\*\* : )"
    before, *entries = re.split(entry_start, text, flags=re.MULTILINE)
    entry_of = {re.search(r"\*\*(\w+)\*\*", entry)[1]: entry for entry in entries}
    entry_of = {name: entry.rstrip() for name, entry in entry_of.items()}
    parts = [before.rstrip()]
    for purpose, names in PURPOSES.items():
        present = [entry_of.pop(name) for name in names if name in entry_of]
        if present:
            parts += [f"    .. rubric:: {purpose}", *present]
    parts += entry_of.values()  # none, as a test makes sure
    return [*lines[: start + 1], *"\n\n".join(parts).split("\n"), "", *lines[end:]]


def _default(name, classes):
    """The defaults of a parameter, the commonest first."""
    of = {cls: {f.name: f.default for f in fields(cls)}[name] for cls in classes}
    values = list(dict.fromkeys(map(repr, of.values())))
    values.sort(key=lambda value: -sum(repr(of[cls]) == value for cls in classes))
    return ", ".join(f"``{value}``" for value in values)


def _of(classes):
    """The estimators that have a parameter, in few words."""
    every = estimators()
    missing = [cls for cls in every if cls not in classes]
    if not missing:
        return "all"
    names = [f":class:`~skrnn.{cls.__name__}`" for cls in classes]
    others = [f":class:`~skrnn.{cls.__name__}`" for cls in missing]
    if len(missing) < len(classes):
        return "all but " + ", ".join(others)
    return ", ".join(names)


def tables():
    """The lines of one table of parameters for each purpose."""
    for purpose, names in PURPOSES.items():
        yield from (purpose, "-" * len(purpose), "")
        yield from (".. list-table::", "   :header-rows: 1", "   :widths: 25 25 50", "")
        yield from ("   * - parameter", "     - default", "     - estimators")
        for name in names:
            classes = [cls for cls in estimators() if name in names_of(cls)]
            yield f"   * - ``{name}``"
            yield f"     - {_default(name, classes)}"
            yield f"     - {_of(classes)}"
        yield ""
