"""Saved estimators, changed at random, and what comes of loading them.

Each attempt damages what one of the doors has written, loads it, and predicts. It must
be refused by a ValueError with a sentence, or predict finite numbers of the right
shape, in a short time and little memory.
"""

import io
import json
import re
import resource
import sys
import tempfile
import time
import traceback
import zipfile
from copy import deepcopy
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
import skops.io
import torch

from skrnn import RNNDecoder, RNNEnsemble, RNNSeq2Seq, export

sys.path.append(str(Path(__file__).parent / "states"))

from make import X as TEXTS
from make import Y, fitted, fitted_writers

SECONDS, MEGABYTES = 30, 500
PROMISED = {"refused", "predicts", "refused in use"}
# Sequences that a changed vocabulary or option does not let pass.
_OF_X = re.compile(r"^(X\b|The tokens of X|The hidden state of X)")
_OURS = ["skrnn._classifier.RNNClassifier", "skrnn._regressor.RNNRegressor"]
_OURS += ["skrnn._encoder.RNNEncoder", "skrnn._tagger.RNNTagger"]
_OURS += ["skrnn._language_model.RNNLanguageModel", "skrnn._seq2seq.RNNSeq2Seq"]
_OURS.append("skrnn._decoder.RNNDecoder")
_VALUES = [None, True, False, 0, 1, -1, 2, 3, 10**6, 10**9, 10**30, 0.5, -0.5, 1e300]
_VALUES += [float("nan"), float("inf"), "", "a", "x" * 50, "gru", "series", "text"]
_VALUES += ["tokens", "regression", "next_step", "\ud83d", [], [1], ["a"], {}, {"a": 1}]
_VALUES += [[[1.0]], (1, 2), {"array": "V_"}, {"tuple": [1, 2]}, {"dict": [["a", 1]]}]
_NAMES = ["predict", "fit", "transform", "__class__", "__dict__", "_head", "foo", "W_"]
_NAMES += ["classes_", "task_", "mean_", "_training", "encoder_", "vocabulary_"]


class Door:
    """Damages what is saved in one way, and loads it.

    Parameters
    ----------
    generator : random.Random
    """

    def __init__(self, generator):
        self.generator = generator
        self.damage = []  # for the report

    def one(self, *of):
        """One of several things."""
        return self.generator.choice(of)

    def note(self, *words):
        """Remember what was done."""
        self.damage.append(" ".join(f"{word!s:.60}" for word in words))

    def damaged_array(self, array, name):
        """An array with other numbers, type or shape."""
        how = self.one(*_ARRAYS)
        self.note(name, how)
        return _ARRAYS[how](array, self.generator)

    def damage_arrays(self, arrays):
        """Change, drop or rename an array in a dict of arrays."""
        name = self.one(*sorted(arrays))
        how = self.one("change", "change", "change", "drop", "rename", "swap", "add")
        if how == "change":
            arrays[name] = self.damaged_array(arrays[name], name)
            return
        self.note(name, how)
        if how == "drop":
            del arrays[name]
        elif how == "add":
            arrays[self.one(*_NAMES)] = np.zeros(3, dtype="f4")
        else:
            other = self.one(*sorted(arrays)) if how == "swap" else f"{name}x"
            arrays[other], arrays[name] = arrays[name], arrays.get(other, arrays[name])
            if how == "rename":
                del arrays[name]

    def damage_tree(self, tree):
        """Change an entry of nested lists and dicts."""
        node = tree
        path = ""
        while True:
            keys = sorted(node) if isinstance(node, dict) else range(len(node))
            if not keys:
                return
            key = self.one(*keys)
            path += f".{key}"
            child = node[key]
            if not isinstance(child, (dict, list)) or self.generator.random() < 0.15:
                break
            node = child
        how = self.one("value", "value", "value", "drop", "rename", "twice", "add")
        if how == "value" or (isinstance(node, dict) and how == "twice"):
            node[key] = deepcopy(self.one(*_VALUES))
            self.note(path, "=", ascii(node[key]))
            return
        self.note(path, how)
        if how == "drop":
            del node[key]
        elif isinstance(node, list):
            node.insert(key, child)
        else:
            name = self.one(*_NAMES)
            node[name] = node.pop(key) if how == "rename" else deepcopy(child)
            self.note("as", name)

    def damage_bytes(self, data):
        """Flip bits of a file, or cut it off."""
        data = bytearray(data)
        if self.generator.random() < 0.3:
            n = self.generator.randrange(len(data))
            self.note("cut at", n)
            return bytes(data[:n])
        for _ in range(self.one(1, 1, 2, 8)):
            i, bit = self.generator.randrange(len(data)), self.generator.randrange(8)
            data[i] ^= 1 << bit
            self.note("bit", bit, "of byte", i)
        return bytes(data)


class StateDict(Door):
    """A dict of tensors."""

    def load(self, estimator):
        """Damage and load."""
        saved = export.to_state_dict(estimator)
        content = json.loads(saved.pop("skrnn"))
        arrays = {name: tensor.numpy() for name, tensor in saved.items()}
        how = self.one("arrays", "json", "json", "text", "bomb", "tensors")
        if how == "arrays":
            self.damage_arrays(arrays)
        elif how == "json":
            for _ in range(self.one(1, 1, 2)):
                self.damage_tree(content)
        elif how == "bomb":
            content = self.bomb(content)
        text = content if isinstance(content, str) else json.dumps(content)
        if how == "text":
            text = self.damage_bytes(text.encode()).decode(errors="replace")
        tensors = {name: _tensor(array) for name, array in arrays.items()}
        if how == "tensors":
            name = self.one(*sorted(tensors))
            kind = self.one(*_TENSORS)
            self.note(name, kind)
            tensors[name] = _TENSORS[kind](tensors[name])
        return export.from_state_dict({**tensors, "skrnn": text})

    def bomb(self, content):
        """Content that is small in the file, and large in memory."""
        name = self.one(*_BOMBS)
        self.note(name)
        return _BOMBS[name](content)


class Safetensors(StateDict):
    """A file of safetensors."""

    def load(self, estimator):
        """Damage and load."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "it"
            export.save_safetensors(estimator, path)
            self.rewrite(path)
            return export.load_safetensors(path)

    def rewrite(self, path):
        """Damage the file."""
        how = self.one("bytes", "arrays", "json", "bomb")
        if how == "bytes":
            path.write_bytes(self.damage_bytes(path.read_bytes()))
            return
        with safetensors.safe_open(path, framework="numpy") as file:
            text = file.metadata()["skrnn"]
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        content = json.loads(text)
        if how == "arrays":
            self.damage_arrays(arrays)
        elif how == "json":
            self.damage_tree(content)
        else:
            content = self.bomb(content)
        if not isinstance(content, str):
            content = json.dumps(content)
        arrays = {
            name: np.ascontiguousarray(array)
            for name, array in arrays.items()
            if array.dtype.kind in "biuf"
        }
        safetensors.numpy.save_file(arrays, path, metadata={"skrnn": content})


class State(Door):
    """A state, as a pickle of any version holds it."""

    def load(self, estimator):
        """Damage and load."""
        state = _copied(estimator.__getstate__())
        for _ in range(self.one(1, 1, 2)):
            self.damage_state(state)
        other = type(estimator).__new__(type(estimator))
        other.__setstate__(state)
        return other

    def damage_state(self, state):
        """Change an attribute, or what is in it."""
        fitted = [name for name in state if name.endswith("_") or name[0] == "_"]
        name = self.one(*sorted(fitted))
        value = state[name]
        if isinstance(value, np.ndarray):
            state[name] = self.damaged_array(value, name)
        elif isinstance(value, dict) and value and self.generator.random() < 0.8:
            self.note(name)
            key = self.one(*sorted(value, key=str))
            if isinstance(value[key], np.ndarray):
                value[key] = self.damaged_array(value[key], key)
            elif isinstance(value[key], (list, dict)) and value[key]:
                self.damage_tree(value[key])
            else:
                self.damage_tree(value)
        elif isinstance(value, list) and value and self.generator.random() < 0.8:
            i = self.generator.randrange(len(value))
            is_array = isinstance(value[i], np.ndarray)
            value[i] = self.damaged_array(value[i], name) if is_array else self.one(0)
        else:
            self.damage_tree(state)


class Skops(State):
    """A file of skops: of a changed estimator, or itself changed."""

    def load(self, estimator):
        """Damage and load."""
        if self.one("state", "file") == "state":
            data = self.dump_changed(estimator)
        else:
            data = self.rewritten(skops.io.dumps(estimator))
        try:
            loaded = skops.io.loads(data, trusted=_OURS)
        except Exception as error:
            if is_from_skrnn(error):
                raise
            raise ValueError("skops refuses it.") from error
        if type(loaded) is not type(estimator):
            raise ValueError("skops makes another object of it.")
        return loaded

    def dump_changed(self, estimator):
        """The file of an estimator whose attributes are changed."""
        other = type(estimator).__new__(type(estimator))
        other.__dict__.update(_copied(vars(estimator)))
        state = vars(other)
        self.damage_state(state)
        try:
            data = skops.io.dumps(other)
            types = set(skops.io.get_untrusted_types(data=data))
        except Exception:
            raise ValueError("skops refuses it.") from None
        if not types <= set(_OURS):
            raise ValueError("skops asks for trust.")
        return data

    def rewritten(self, data):
        """A file with changes in the schema or an array, and correct check sums."""
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            parts = {name: file.read(name) for name in file.namelist()}
        how = self.one("values", "values", "schema", "arrays", "bytes")
        name, schema = self.one(*sorted(parts)), json.loads(parts["schema.json"])
        if how == "bytes":
            self.note(name)
            parts[name] = self.damage_bytes(parts[name])
        elif how == "arrays":
            other = self.one(*sorted(parts.keys() - {"schema.json"}))
            self.note(name, "is", other)
            parts[name] = parts[other]
        elif how == "schema":
            for _ in range(self.one(1, 1, 2)):
                self.damage_tree(schema)
        else:
            for _ in range(self.one(1, 1, 2, 8)):
                self.damage_value(schema)
        if how in ("values", "schema"):
            parts["schema.json"] = json.dumps(schema).encode()
        with io.BytesIO() as file:
            with zipfile.ZipFile(file, "w") as archive:
                for name, content in parts.items():
                    archive.writestr(name, content)
            return file.getvalue()

    def damage_value(self, schema):
        """Change a value of the schema, or exchange it with another."""
        nodes, left = [], [schema]
        while left:
            node = left.pop()
            if isinstance(node, dict) and "__loader__" in node:
                nodes.append(node)
            is_dict = isinstance(node, dict)
            left += node.values() if is_dict else node if type(node) is list else []
        values = [node for node in nodes if node["__loader__"] == "JsonNode"]
        # Not by all attributes, which would double the file each time.
        node, other = self.one(*values), self.one(*self.one(values, nodes[2:]))
        if self.generator.random() < 0.7:
            self.note(node["content"], "=", ascii(value := self.one(*_VALUES)))
            node.update(content=json.dumps(value))
        else:
            self.note(node["content"], "becomes", other["__class__"])
            node.update(deepcopy(other))
        node["__id__"] = self.generator.getrandbits(60)  # it is not one that was read


def is_from_skrnn(error):
    """Whether an exception was raised in skrnn, or in what skrnn has called."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).parent.name == "skrnn" for frame in frames)


DOORS = [StateDict, Safetensors, State, Skops]


def _copied(state):
    """A copy in which lists, dicts and arrays may be changed, but no estimator."""
    if isinstance(state, dict):
        return {key: _copied(value) for key, value in state.items()}
    if isinstance(state, list):
        return [_copied(value) for value in state]
    return state.copy() if isinstance(state, np.ndarray) else state


def _tensor(array):
    return torch.from_numpy(np.array(array))


def _with(array, generator, *values):
    """The array with one number replaced."""
    array = np.array(array)
    if array.size and array.dtype.kind in "fiu":
        value = generator.choice(values)
        if array.dtype.kind != "f":
            value = int(np.clip(value if value == value else 0, 0, 100))
        array.reshape(-1)[generator.randrange(array.size)] = value
    return array


def _other_type(array, generator):
    kinds = ["f2", "f4", "f8", "i1", "i4", "i8", "u1", "?", "c8"]
    if np.asarray(array).dtype.kind in "OU":
        kinds = ["U1", "O", "S3"]
    with np.errstate(all="ignore"):
        return np.asarray(array).astype(generator.choice(kinds))


_ARRAYS = {
    "NaN": lambda a, g: _with(a, g, float("nan"), float("inf"), -float("inf")),
    "another number": lambda a, g: _with(a, g, -1.0, 0.0, 3.0, 1e30, -1e-30, 100.0),
    "another type": _other_type,
    "one row less": lambda a, g: np.atleast_1d(a)[:-1],
    "one column less": lambda a, g: np.atleast_2d(a)[..., :-1],
    "one axis more": lambda a, g: a[np.newaxis],
    "flat": lambda a, g: np.array(a).reshape(-1),
    "turned": lambda a, g: np.ascontiguousarray(a.T),
    "twice": lambda a, g: np.concatenate([np.atleast_1d(a)] * 2),
    "empty": lambda a, g: np.zeros(0, dtype=a.dtype),
    "huge without memory": lambda a, g: np.zeros((10**9, 0), dtype=a.dtype),
    "a number": lambda a, g: np.zeros((), dtype=a.dtype),
    "reversed": lambda a, g: np.array(a[::-1]),
}
_TENSORS = {
    "a view of one number": lambda t: torch.zeros(1).expand(10**9),
    "bfloat16": lambda t: t.to(torch.bfloat16),
    "sparse": lambda t: torch.eye(3).to_sparse(),
    "meta": lambda t: torch.zeros(10**9, device="meta"),
    "quantized": lambda t: torch.quantize_per_tensor(
        torch.ones(3), 1.0, 0, torch.qint8
    ),
    "a list": lambda t: t.tolist(),
    "None": lambda t: None,
    "a gradient": lambda t: torch.ones(3, requires_grad=True) * 2,
}


def _changed(**values):
    """A function that sets attributes in the content."""

    def change(content):
        content["state"].update(deepcopy(values))
        return content

    return change


def _nested(n):
    """A function that puts n lists in each other."""

    def nest(content):
        del content["state"]["alpha"]
        nested = '{"alpha":' + "[" * n + "]" * n + ", "
        return json.dumps(content).replace('"state": {', f'"state": {nested[1:]}', 1)

    return nest


def _many_times(content):
    content["state"]["vocabulary"] = [{"array": "V_"}] * 10_000
    return content


def _wide_range(content):
    content["state"]["ngram_range"] = {"tuple": [1, 10**6]}
    for pair in content["state"]["_reading"]["dict"]:
        if pair[0] == "ngram_range":
            pair[1] = {"tuple": [1, 10**6]}
    for pair in content["state"].get("_grams", {"dict": []})["dict"]:
        if pair[0] == "ngram_range":
            pair[1] = {"tuple": [1, 10**6]}
    return content


_STRINGS = {"array of": "<U500000000", "shape": [1], "items": ["a"]}
_PADDED = {"array of": "<U400000", "shape": [30_000], "items": ["a"] * 30_000}
_BOMBS = {
    "a wide dtype": _changed(classes_=_STRINGS),
    "many wide strings": _changed(classes_=_PADDED),
    "a wide dtype as a parameter": _changed(vocabulary=_STRINGS),
    "any dtype": _changed(classes_={**_STRINGS, "array of": "V2000000000"}),
    "100,000 lists": _nested(100_000),
    "900 lists": _nested(900),
    "60 lists": _nested(60),
    "long patches": _changed(patch_length_=10**8),
    "many differences": _changed(differences=10**9),
    "long n-grams": _wide_range,
    "one array many times": _many_times,
    "a wide network": _changed(
        _architecture={
            "dict": [
                ["nhidden", {"tuple": [10**9] * 100}],
                ["cell", "gru"],
                ["activation", "tanh"],
                ["recurrence", "learned"],
                ["bidirectional", False],
                ["pooling", "sum"],
            ]
        }
    ),
    "a method": _changed(predict="a", transform=1),
    "a long token": _changed(vocabulary_={"dict": [["a" * 10**6, 1]]}),
    "a long number": lambda content: json.dumps(content).replace("1", "1" * 10**5),
    "not JSON": lambda content: "\0" * 1000,
}


class Attempts:
    """Attempts on estimators of all kinds.

    Parameters
    ----------
    generator : random.Random
    """

    def __init__(self, generator):
        self.generator = generator
        self.estimators = fitted()
        for name, (writer, (X, _)) in fitted_writers().items():
            if not isinstance(writer, RNNEnsemble):  # of which each member is saved
                writer.predict(X)  # compiles what predicts, which takes seconds
                self.estimators[name] = writer, X

    def one(self):
        """What comes of one attempt, and a description of it.

        Returns
        -------
        outcome : str
            One of `PROMISED`, or what went wrong.
        input : str
        """
        name = self.generator.choice(sorted(self.estimators))
        door = self.generator.choice(DOORS)(self.generator)
        estimator, X = self.estimators[name]
        start, before = time.monotonic(), _megabytes()
        outcome = self._outcome(door, estimator, X)
        took, used = time.monotonic() - start, _megabytes() - before
        if took > SECONDS or used > MEGABYTES:
            outcome = f"{outcome}, after {took:.0f} s and {used:.0f} MB"
        return outcome, f"{name}, {type(door).__name__}: {'; '.join(door.damage)}"

    def _outcome(self, door, estimator, X):
        try:
            loaded = door.load(estimator)
        except ValueError as error:
            is_sentence = str(error).endswith(".")  # Python's and NumPy's have no stop
            return "refused" if is_sentence else f"refused with the words: {error}"
        except Exception as error:
            return f"loading: {type(error).__name__}: {error}"[:200]
        try:
            methods = ("transform", "predict_proba", "predict")
            method = next(name for name in methods if hasattr(estimator, name))
            y = getattr(loaded, method)(X)
            if X is TEXTS and hasattr(loaded, "_training"):
                loaded.partial_fit(X, Y)
        except (TypeError, ValueError) as error:
            if isinstance(error, ValueError) or _OF_X.match(str(error)):
                return "refused in use"
            return f"{type(error).__name__}: {error}"[:200]
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:200]
        is_fine = len(y) == len(X)
        if isinstance(loaded, (RNNDecoder, RNNSeq2Seq)):  # sequences of any length
            is_fine &= set(map(type, y)) <= {str, list, np.ndarray}
            y = loaded.score_samples(X, y)
        elif isinstance(y, list):  # an array for each sequence
            is_fine &= [*map(len, y)] == [*map(len, X)]
            y = np.concatenate(y)
        if not (is_fine and (y.dtype.kind not in "f" or np.isfinite(y).all())):
            return f"predicts {y.dtype} of shape {y.shape}"
        return "predicts"


def _megabytes():
    """The largest amount of memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
