"""Where tensors lie: the one module that says it."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch

import skrnn
from skrnn._core.execution import CPU, Execution, arithmetic, permutation, random_seed

PACKAGE = Path(skrnn.__file__).parent
MODULES = sorted(
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("*.py")
    if path != PACKAGE / "_core" / "execution.py"
)
# Functions of torch that make a tensor of no other one: on the default device, or
# on the CPU, unless they are told where.
MAKERS = {
    *("arange", "as_tensor", "asarray", "bartlett_window", "blackman_window"),
    *("empty", "empty_strided", "eye", "frombuffer", "from_file", "from_numpy", "full"),
    *("hamming_window", "hann_window", "kaiser_window", "linspace", "logspace"),
    *(
        "normal",
        "ones",
        "rand",
        "randint",
        "randn",
        "randperm",
        "range",
        "scalar_tensor",
    ),
    *("tensor", "tril_indices", "triu_indices", "zeros", "Tensor"),
    *("BoolTensor", "DoubleTensor", "FloatTensor", "IntTensor", "LongTensor"),
}


def placeless(source):
    """Calls that make a tensor without saying where, as (line, name)."""
    tree = ast.parse(source)
    named = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "torch"
        for alias in node.names
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function, name = node.func, None
        if isinstance(function, ast.Name):
            name = named.get(function.id)
        elif isinstance(function, ast.Attribute):
            if isinstance(function.value, ast.Name) and function.value.id == "torch":
                name = function.attr
        says_where = any(keyword.arg == "device" for keyword in node.keywords)
        if name in MAKERS and not says_where:
            found.append((node.lineno, name))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_tensors_are_made_where_it_is_known_where_they_lie(module):
    source = (PACKAGE / module).read_text(encoding="utf-8")
    assert placeless(source) == []


@pytest.mark.parametrize(
    "line, name",
    [
        ("torch.tensor([1.0])", "tensor"),
        ("torch.from_numpy(a)", "from_numpy"),
        ("f(torch.zeros(3, dtype=torch.int64))", "zeros"),
        ("torch.arange(\n    3\n)", "arange"),
        ("torch.randperm(3, generator=g)", "randperm"),
        ("from torch import rand as r\nr(3)", "rand"),
    ],
)
def test_such_a_line_is_found(line, name):
    assert [found for _, found in placeless("import torch\n" + line)] == [name]


@pytest.mark.parametrize(
    "line",
    [
        "torch.tensor([1.0], device=x.device)",
        "torch.arange(3, device='cpu')",
        "torch.zeros_like(x)",
        "x.new_zeros(3)",
        "numpy.zeros(3)",
        "execution.zeros(3)",
        "torch.cat([x, x])",
    ],
)
def test_other_lines_are_not(line):
    assert placeless(line) == []


def test_an_array_and_its_tensor_share_memory():
    array = np.arange(3.0)
    tensor = CPU.tensor(array)
    array[0] = 7.0
    assert tensor[0] == 7.0
    assert np.shares_memory(CPU.array(tensor), array)


def test_a_read_only_array_is_copied():
    array = np.arange(3.0)
    array.flags.writeable = False
    tensor = CPU.tensor(array)
    tensor[0] = 7.0
    assert array[0] == 0.0


def test_what_is_made_has_the_type_and_the_place_that_is_asked_for():
    elsewhere = Execution(device="meta")
    generator = torch.Generator()
    for execution in (CPU, elsewhere):
        tensors = [
            execution.zeros((2, 3)),
            execution.normal((2, 3), 1.0, generator),
            execution.dropout_mask((2, 3), 0.5, generator),
        ]
        for tensor in tensors:
            assert tensor.device.type == execution.device
            assert tensor.dtype == torch.float32 and tensor.shape == (2, 3)
        numbers = execution.uniform(3, torch.float64, generator)
        assert numbers.device.type == execution.device
        assert numbers.dtype == torch.float64
    assert elsewhere.tensor(np.zeros(2)).device.type == "meta"


def test_a_seed_means_the_same_numbers_whatever_the_default_device():
    def drawn():
        generator = CPU.generator(3)
        return [
            CPU.normal((2, 3), 0.5, generator),
            CPU.uniform(4, torch.float32, generator),
            CPU.dropout_mask((2, 3), 0.5, generator),
            torch.from_numpy(permutation(9, generator)),
            torch.tensor(random_seed(generator), device="cpu"),
        ]

    expected = drawn()
    with torch.device("meta"):
        ours = drawn()
    for mine, other in zip(ours, expected, strict=True):
        assert torch.equal(mine, other)


def test_a_dropout_mask_keeps_the_mean():
    mask = CPU.dropout_mask((1000, 50), 0.2, CPU.generator(0))
    assert sorted(mask.unique().tolist()) == [0.0, pytest.approx(1.25)]
    assert mask.mean().item() == pytest.approx(1.0, abs=0.02)


def test_a_permutation_has_each_number_once():
    order = permutation(100, CPU.generator(0))
    assert order.dtype == np.int64
    assert sorted(order) == list(range(100)) and list(order) != list(range(100))


def test_arithmetic_knows_the_number_of_threads_outside():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with arithmetic() as execution:
            assert torch.get_num_threads() == 1
            assert execution == Execution("cpu", 3)
            with arithmetic() as inner:
                assert inner == execution
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(n_threads)
