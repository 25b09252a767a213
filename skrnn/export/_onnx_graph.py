"""A graph of ONNX, which is built node by node."""

import numpy as np

from skrnn._core.imports import import_lock

OPSET = 18  # of 2022; all nodes that are used are in it
IR_VERSION = 9  # which the runtimes of 2023 read


class Graph:
    """Nodes, their weights, and what goes in and out.

    A value is the name of a tensor. Calling a graph appends a node and returns its
    output: ``graph("Add", x, y)``. Arrays and numbers among the inputs become constants
    of the graph; NumPy's type is theirs.

    Parameters
    ----------
    prefix : str, default=""
        Of all names that are made up. A graph within a graph needs others.
    """

    def __init__(self, prefix=""):
        self._onnx, self._prefix = import_onnx(), prefix
        self._nodes, self._weights, self._inputs, self._outputs = [], [], [], []
        self._n = 0

    def __call__(self, op, *inputs, n_outputs=1, **attributes):
        """Append a node.

        Parameters
        ----------
        op : str
            The name of the operator.
        *inputs : str, array-like or None
            None for an optional input that is left out.
        n_outputs : int, default=1
        **attributes
            As the operator names them.

        Returns
        -------
        output : str, or a list of them if there are several
        """
        inputs = [self._value(each) for each in inputs]
        outputs = [self._name(op.lower()) for _ in range(n_outputs)]
        make = self._onnx.helper.make_node
        self._nodes.append(make(op, inputs, outputs, **attributes))
        return outputs[0] if n_outputs == 1 else outputs

    def _value(self, each):
        if each is None or isinstance(each, str):
            return each or ""
        return self.constant(each)

    def _name(self, what):
        self._n += 1
        return f"{self._prefix}{what}_{self._n}"

    def constant(self, array, name=None):
        """A tensor that is part of the graph; int64 or float32 if Python's numbers."""
        if not isinstance(array, (np.ndarray, np.generic)):
            array = np.asarray(array)
            is_whole = array.dtype.kind in "iu"
            array = array.astype(np.int64 if is_whole else np.float32)
        name = self._name(name or "constant")
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        self._weights.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def input(self, name, dtype, shape):
        """Declare an input; sizes that may vary are names."""
        self._inputs.append(self._info(name, dtype, shape))
        return name

    def output(self, name, value, dtype, shape):
        """Declare an output, which is a value under another name."""
        make = self._onnx.helper.make_node
        self._nodes.append(make("Identity", [value], [name]))
        self._outputs.append(self._info(name, dtype, shape))

    def _info(self, name, dtype, shape):
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self._onnx.helper.make_tensor_value_info(name, kind, shape)

    def cast(self, value, dtype):
        """A value as another type of NumPy."""
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self("Cast", value, to=kind)

    def scan(self, body, state, *values, is_reversed=False):
        """Run a graph along the steps, axis 1, of some values.

        Parameters
        ----------
        body : Graph
            From a state and the values of a step to the next state, and what is kept
            of it.
        state : str
        *values : str
        is_reversed : bool, default=False
            Whether the last step is the first.

        Returns
        -------
        kept : str
            Of all steps.
        """
        n = len(values)
        options = {
            "body": self._onnx.helper.make_graph(*body._parts("step")),
            "num_scan_inputs": n,
            "scan_input_axes": [1] * n,
            "scan_output_axes": [1],
            "scan_input_directions": [int(is_reversed)] * n,
            "scan_output_directions": [int(is_reversed)],
        }
        return self("Scan", state, *values, n_outputs=2, **options)[1]

    def _parts(self, name):
        return self._nodes, name, self._inputs, self._outputs, self._weights

    def model(self, name, version, metadata):
        """The finished model.

        Parameters
        ----------
        name : str
        version : str
            That of skrnn.
        metadata : dict of str to str

        Returns
        -------
        model : onnx.ModelProto
        """
        helper = self._onnx.helper
        model = helper.make_model(
            helper.make_graph(*self._parts(name)),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="skrnn",
            producer_version=version,
        )
        helper.set_model_props(model, metadata)
        return model


def import_onnx():
    """Import onnx, which is an extra."""
    try:
        with import_lock:
            import onnx
            import onnx.helper
            import onnx.numpy_helper
    except ImportError as error:
        raise ImportError(
            "skrnn.export needs onnx for this. Install it with `pip install "
            "skrnn[onnx]`."
        ) from error
    return onnx
