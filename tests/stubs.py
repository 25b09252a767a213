"""The parameters in skrnn/__init__.pyi, from those in the code.

    python tests/stubs.py

A parameter is written once: as an annotated line of ``BaseRNN``, or of
``RNNClassifier``. This puts the same lines into the stubs, between two comments for
each class, with names that the stubs define: ``_Count`` for ``Count`` of
skrnn/_types.py, and so on. Names of choices, such as ``CellName``, become the choices.
Defaults that are no literals become ``...``.
tests/test_typing.py holds the stubs against it.
"""

import ast
import re
from pathlib import Path
from typing import Literal, get_args, get_origin

from skrnn._core import architecture, cells, pooling

PACKAGE = Path(__file__).parents[1] / "skrnn"
STUBS = PACKAGE / "__init__.pyi"
CLASSES = {"_base.py": "BaseRNN", "_classifier.py": "RNNClassifier"}
CLASSES["_regressor.py"] = "RNNRegressor"
CLASSES["_language_model.py"] = "RNNLanguageModel"
CLASSES["_tagger.py"] = "RNNTagger"
CLASSES["_decoder.py"] = "RNNDecoder"
CLASSES["_seq2seq.py"] = "RNNSeq2Seq"
CLASSES["_ensemble.py"] = "RNNEnsemble"
CHOICES = (architecture, cells, pooling)
BEGIN = "    # Parameters of skrnn/{}, written by tests/stubs.py:\n"
END = "    # End of the parameters.\n"


def names_of_types():
    """What stands in the stubs for types of the code, by their names there.

    Returns
    -------
    names : dict of str to str
    """
    names = {}
    for node in ast.parse((PACKAGE / "_types.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign):
            names |= {target.id: f"_{target.id}" for target in node.targets}
    for module in CHOICES:
        for name, choices in vars(module).items():
            if get_origin(choices) is Literal:
                quoted = (f'"{choice}"' for choice in get_args(choices))
                names[name] = f"Literal[{', '.join(quoted)}]"
    return names


def _is_literal(node):
    """Whether an expression is a constant, or a tuple of constants."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return all(isinstance(part, ast.Constant) for part in parts)


def parameter_lines(file):
    """The parameters that the class in a file of the code adds, as the stubs have them.

    Returns
    -------
    lines : list of str
        The first of those to be passed by name only is ``_: KW_ONLY``.
    """
    source, names = (PACKAGE / file).read_text("utf-8"), names_of_types()
    (cls,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == CLASSES[file]
    )
    lines = []
    for node in cls.body:
        if not isinstance(node, ast.AnnAssign):
            continue
        hint = ast.get_source_segment(source, node.annotation)
        hint = re.sub(r"\b\w+\b", lambda word: names.get(word[0], word[0]), hint)
        line = f"    {node.target.id}: {hint}"
        if node.value is not None:
            value = ast.get_source_segment(source, node.value)
            value = value if _is_literal(node.value) else "..."
            line += f" = {value}"
        lines.append(f"{line}\n")
    return lines


def updated(text):
    """The text of the stubs with the parameters of the code."""
    for file in CLASSES:
        before, after = text.split(BEGIN.format(file))
        after = after[after.index(END) :]
        text = "".join([before, BEGIN.format(file), *parameter_lines(file), after])
    return text


if __name__ == "__main__":
    STUBS.write_text(updated(STUBS.read_text("utf-8")), "utf-8")
