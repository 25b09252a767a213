"""Compiled code: the same numbers, kept on disk, fresh, and there after any trouble."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numba
import numpy as np
import pytest
from numba.core import caching
from numba.core.compiler import CompileResult

import skrnn
from skrnn._core import compiled as compiled_module
from skrnn._core.cells import CELLS, ActivationName, make_cell
from skrnn._core.compiled import IS_COMPILED, compiled

only_compiled = pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled")
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@compiled
def add(x, total):
    for i in range(len(x)):
        total[i] += x[i]


@compiled
def add_twice(parts, total):
    for part in parts:
        add(part, total)
        add(part, total)


def in_order(step):
    @compiled
    def run(x, total):
        for i in range(len(x)):
            step(x[i : i + 1], total[i : i + 1])

    return run


@compiled
def quotient(a, b):
    return a / b


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_compiled_functions_call_each_other(dtype):
    x, total = np.arange(5, dtype=dtype), np.ones(5, dtype)
    add_twice((x, x[::-1].copy()), total)
    assert total.tolist() == [9.0] * 5 and total.dtype == dtype
    in_order(add)(x, total)
    assert total.tolist() == [9.0, 10.0, 11.0, 12.0, 13.0]


def test_arrays_of_any_strides_are_taken():
    x, total = np.arange(12.0).reshape(3, 4), np.zeros(3)
    add(x[:, 1], total)
    add(x[::-1, 1], total)
    assert total.tolist() == [10.0, 10.0, 10.0]


@only_compiled
def test_divisions_by_zero_are_those_of_numpy():
    assert quotient(1.0, 0.0) == np.inf
    assert np.isnan(quotient(0.0, 0.0))


@only_compiled
def test_other_threads_go_on_meanwhile():
    @compiled
    def take_a_while(n, x):
        for _ in range(n):
            for i in range(len(x)):
                x[i] = x[i] * 0.5 + 1.0

    x, n = np.zeros(1000), 1000
    while True:  # until it takes long
        take_a_while(1, x)
        start = time.perf_counter()
        take_a_while(n, x)
        if time.perf_counter() - start > 0.3:
            break
        n *= 3
    thread = threading.Thread(target=take_a_while, args=(n, x))
    thread.start()
    n_turns = 0
    while thread.is_alive():
        n_turns += 1
        time.sleep(0)
    assert n_turns > 100


# In processes of their own, with a copy of the package and a few kernels more, which
# take less time to compile than those of networks


CALLEE = """
from skrnn._core.compiled import compiled

@compiled
def twice(x):
    return x + x
"""
TINY = """
from functools import cache
from skrnn._core.callee import twice
from skrnn._core.compiled import compiled

@compiled
def add_one(x):
    for i in range(len(x)):
        x[i] += 1

@compiled
def double(x, i):
    x[i] = twice(x[i])

@compiled
def negate(x, i):
    x[i] = -x[i]

@compiled
def square(x, i):
    x[i] = x[i] * x[i]

@cache
def loop_of(step):
    @compiled
    def loop(x):
        for i in range(len(x)):
            step(x, i)

    return loop
"""
COUNTS = """
import gc, json
from numba.core.dispatcher import Dispatcher

def counts():
    # Not isinstance, for which torch makes objects that warn.
    found = [each for each in gc.get_objects() if issubclass(type(each), Dispatcher)]
    return {
        "found": sum(sum(each.stats.cache_hits.values()) for each in found),
        "compiled": sum(sum(each.stats.cache_misses.values()) for each in found),
    }
"""
KERNELS = f"""{COUNTS}
import numpy as np
from skrnn._core import tiny

def applied(function):
    x = np.array([1.0, 2.0, 3.0], np.float32)
    function(x)
    return x.tolist()

def small():
    return applied(tiny.add_one)

def whole():
    return applied(tiny.loop_of(tiny.double))
"""
SMALL = f"{KERNELS}\nprint(json.dumps({{'numbers': small(), **counts()}}))"
WHOLE = f"{KERNELS}\nprint(json.dumps({{'numbers': whole(), **counts()}}))"
BOTH = f"{KERNELS}\nprint(json.dumps({{'numbers': [small(), whole()], **counts()}}))"
PLUS_ONE, DOUBLED, TRIPLED = [2.0, 3.0, 4.0], [2.0, 4.0, 6.0], [3.0, 6.0, 9.0]


class Installation:
    """A copy of the package, and a home for its user.

    Parameters
    ----------
    folder : Path
        It is made here.
    of : Path, default=None
        Another installation to copy, with its compiled code; None for the package that
        is tested, without any.
    is_whole : bool, default=False
        Whether it has the estimators. Without them, an import takes a quarter of the
        time.
    """

    def __init__(self, folder, of=None, is_whole=False):
        self.root, self.home = folder / "packages", folder / "home"
        self.home.mkdir()
        if of is not None:
            shutil.copytree(of.root, self.root)
            return
        ignored = shutil.ignore_patterns("__pycache__")
        source = Path(skrnn.__file__).parent
        shutil.copytree(source, self.root / "skrnn", ignore=ignored)
        (self.core / "callee.py").write_text(CALLEE, encoding="utf-8")
        (self.core / "tiny.py").write_text(TINY, encoding="utf-8")
        if not is_whole:
            (self.root / "skrnn" / "__init__.py").write_text("", encoding="utf-8")

    @property
    def core(self):
        return self.root / "skrnn" / "_core"

    def files(self, pattern="*.nb[ic]", of=None):
        """Those of compiled code, beside the sources or in another folder."""
        return sorted((of or self.root).rglob(pattern))

    def change_callee(self):
        """Edit a function that another file calls, so that it triples."""
        changed = CALLEE.replace("x + x", "x + x + x")
        (self.core / "callee.py").write_text(changed, encoding="utf-8")

    def run(self, script, **variables):
        """Run Python; return what it prints, read as JSON."""
        environment = {**os.environ, "HOME": str(self.home)}
        for name in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
            environment.pop(name, None)
        variables = {
            **environment,
            "PYTHONPATH": str(self.root),
            "PYTHONWARNINGS": "ignore",
            **variables,
        }
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=variables,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def installation(tmp_path):
    if not IS_COMPILED:
        pytest.skip("nothing is compiled")
    return Installation(tmp_path)


@pytest.fixture(scope="module")
def used_before(tmp_path_factory):
    """An installation that has compiled what the scripts use."""
    if not IS_COMPILED:
        pytest.skip("nothing is compiled")
    installation = Installation(tmp_path_factory.mktemp("used"))
    first = installation.run(BOTH)
    assert first["compiled"] == 4 and first["found"] == 0
    return installation


@pytest.fixture
def warm(used_before, tmp_path):
    """A copy of it: what it was made from is the same."""
    return Installation(tmp_path, used_before)


def test_a_second_process_compiles_nothing(warm):
    """Nor a third one; and they write nothing."""
    files = {path: path.stat().st_mtime_ns for path in warm.files()}
    assert len(files) == 8
    for _ in range(2):
        again = warm.run(WHOLE)
        assert again["compiled"] == 0 and again["found"] > 0
        assert again["numbers"] == DOUBLED
        assert {path: path.stat().st_mtime_ns for path in warm.files()} == files


ESTIMATORS = f"""{COUNTS}
import contextlib, io
from skrnn import RNNClassifier, RNNEncoder, RNNRegressor

X = ["ab", "b", "ba", ""] * 20
params = dict(max_iter=2, random_state=0)
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    for more in (
        dict(cell="rnn", activation="tanh", pooling="max"),
        dict(cell="rnn", activation="relu", pooling="mean"),
        dict(cell="gru", pooling="concat"),
        dict(cell="lstm", pooling="sum"),
    ):
        RNNClassifier(4, verbose=1, **more, **params).fit(X, X).predict(X)
RNNRegressor((4, 3), bidirectional=True, **params).fit([[0.5, 2.0]] * 9, range(9))
RNNEncoder(4, truncate=3, **params).fit(["abcdefg"] * 5).transform(X)

def doubles_of(dispatcher):
    # Where there are float64 numbers, though only float32 ones are given.
    found = []
    for signature in dispatcher.signatures:
        if "float32" in str(signature) and "float64" not in str(signature):
            page = io.StringIO()
            dispatcher.inspect_types(page, signature=signature)
            lines = page.getvalue().splitlines()
            found += [line.strip() for line in lines if line.endswith(":: float64")]
    return found

kernels = [each for each in gc.get_objects() if issubclass(type(each), Dispatcher)]
doubles = {{each.__qualname__: doubles_of(each) for each in kernels}}
n_announced = printed.getvalue().count("Compiling for this processor")
print(json.dumps({{"doubles": doubles, "n_announced": n_announced, **counts()}}))
"""


@pytest.fixture(scope="module")
def with_estimators(tmp_path_factory):
    """An installation, and what the first process that used it has found."""
    if not IS_COMPILED:
        pytest.skip("nothing is compiled")
    installation = Installation(tmp_path_factory.mktemp("whole"), is_whole=True)
    return installation, installation.run(ESTIMATORS)


def test_a_second_process_of_estimators_compiles_nothing(with_estimators):
    installation, first = with_estimators
    assert first["compiled"] > 0 and first["n_announced"] == 1
    second = installation.run(ESTIMATORS)
    assert second["compiled"] == 0 and second["n_announced"] == 0


def test_float32_is_not_computed_as_float64(with_estimators):
    """As numba does with ``0.5 * x``, or with ``0 if ... else x``."""
    _, first = with_estimators
    kernels = {"_forward_relu", "_backward_relu", "pass_on", "copy", "forward_of"}
    assert kernels <= {name.split(".")[0] for name in first["doubles"]}
    # Losses are summed over thousands of rows in float64.
    sums = {"loss_and_gradient", "_kernel_for.<locals>.run"}
    doubles = {name: lines for name, lines in first["doubles"].items() if lines}
    assert doubles.keys() <= sums


def test_processes_may_compile_at_the_same_time(installation):
    wait_for_other = """
import os, pathlib, time
pathlib.Path(str(os.getpid())).touch()
while len(os.listdir()) < {n}:
    time.sleep(0.001)
"""
    for attempt in range(1, 6):
        for path in installation.files():
            path.unlink()
        wait = wait_for_other.format(n=2 * attempt)
        together = WHOLE.replace("\nprint(", f"{wait}\nprint(")
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(installation.run, [together] * 2))
        for result in [*results, installation.run(WHOLE)]:
            assert result["numbers"] == DOUBLED
        # Unless one process was so late that it found what the other one compiled.
        if all(result["compiled"] > 0 for result in results):
            break
    else:
        pytest.fail("the processes never compiled at the same time")
    assert installation.run(WHOLE)["compiled"] == 0


def test_code_of_other_sources_is_not_used(warm):
    """Though the function that is called, and its file, are the same as before."""
    warm.change_callee()
    result = warm.run(WHOLE)
    assert result["found"] == 0 and result["compiled"] == 3
    assert result["numbers"] == TRIPLED
    (warm.core / "callee.py").write_text(CALLEE, encoding="utf-8")
    assert warm.run(WHOLE)["numbers"] == DOUBLED


def test_the_stamp_changes_with_each_source(installation):
    """And with the versions of what compiles them."""
    script = """
import json
from pathlib import Path
import numba
import numpy
from skrnn._core import compiled

stamp = compiled._stamp.__wrapped__
stamps = [stamp()]
assert stamps == [compiled._stamp()]
for path in sorted(Path(compiled.__file__).parent.rglob("*.py")):
    with path.open("a", encoding="utf-8") as file:
        file.write("# changed")
    stamps.append(stamp())
Path(compiled.__file__).with_name("another.py").touch()
stamps.append(stamp())
for library in (numba, numpy):
    library.__version__ += ".post1"
    stamps.append(stamp())
print(json.dumps(stamps))
"""
    sources = list(installation.core.rglob("*.py"))
    stamps = installation.run(script)
    assert len(set(stamps)) == len(stamps) == len(sources) + 4


def test_functions_of_one_name_in_a_closure_are_told_apart():
    def adding(number):
        @compiled
        def step(x, total):
            total[0] += number * x[0]

        return step

    def doubling():
        def make():
            @compiled
            def step(x, total):
                total[0] *= 2

            return step

        return make()

    x = np.ones(2)
    for _ in range(2):  # compiled, and from the disk
        for step, expected in [(adding(3), 4), (adding(5), 6), (doubling(), 2)]:
            total = np.ones(2)
            in_order(step)(x, total)
            assert total.tolist() == [expected] * 2


# Drops what root may do more than others, so that it may not write either.
AS_ANYONE = """
import ctypes
header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
assert ctypes.CDLL(None).capset(header, nothing) == 0
"""


@pytest.fixture
def read_only(installation):
    """An installation that nobody may write to."""
    if not sys.platform.startswith("linux"):
        pytest.skip("other permissions")
    folders = [p for p in installation.root.rglob("*") if p.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    yield installation
    for folder in [*folders, installation.home]:
        folder.chmod(0o755)


def test_code_of_a_read_only_installation_is_in_the_cache_of_the_user(read_only):
    first = read_only.run(AS_ANYONE + WHOLE)
    assert first["compiled"] > 0
    assert read_only.files() == [] and read_only.files(of=read_only.home)
    again = read_only.run(AS_ANYONE + WHOLE)
    assert again["compiled"] == 0 and again["found"] > 0
    assert first["numbers"] == again["numbers"]


def test_where_nothing_may_be_written_code_is_compiled_each_time(read_only):
    read_only.home.chmod(0o555)
    for _ in range(2):
        result = read_only.run(AS_ANYONE + SMALL)
        assert result["numbers"] == PLUS_ONE and result["compiled"] > 0
    assert read_only.files() == read_only.files(of=read_only.home) == []


def emptied(data):
    return b""


def cut_off(data):
    return data[: len(data) // 2]


def one_byte_short(data):
    return data[:-1]


def zeroed(data):
    return bytes(len(data))


def with_another_bit(data):
    """Of machine code, which would run as it is."""
    place = 2 * len(data) // 3
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def of_something_else(data):
    return b"\x80\x04K\x01."  # a pickle of 1


DAMAGES = [
    emptied,
    cut_off,
    one_byte_short,
    zeroed,
    with_another_bit,
    of_something_else,
    "removed",
    "swapped",
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_replaced(damage, warm):
    """An index, and code that an index names."""
    files = warm.files("tiny.add_one*.nbi") + warm.files("tiny.loop_of.*.nbc")
    assert len(files) == 2
    contents = [path.read_bytes() for path in files]
    for path, content, other in zip(files, contents, contents[::-1], strict=True):
        if damage == "removed":
            path.unlink()
        elif damage == "swapped":
            path.write_bytes(other)
        else:
            path.write_bytes(damage(content))
    broken = warm.run(BOTH)
    assert broken["compiled"] == 2
    assert broken["numbers"] == [PLUS_ONE, DOUBLED]
    again = warm.run(BOTH)
    assert again["compiled"] == 0
    assert again["numbers"] == [PLUS_ONE, DOUBLED]


@pytest.mark.parametrize("n_bytes", [0, 6000])
def test_a_full_disk_is_no_error(n_bytes, installation):
    """However much of an index and of the code it takes."""
    pytest.importorskip("resource")
    limit = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({n_bytes}, resource.RLIM_INFINITY))
"""
    full = installation.run(limit + SMALL)
    assert full["numbers"] == PLUS_ONE and full["compiled"] > 0
    assert installation.files() == installation.files("*.tmp.*") == []
    assert installation.run(SMALL)["compiled"] > 0
    sizes = [path.stat().st_size for path in installation.files()]
    assert min(sizes) < 6000 < max(sizes)
    assert installation.run(SMALL)["compiled"] == 0


def test_an_index_of_new_sources_does_not_find_old_code(warm):
    """As a process leaves it that ends after it has written the index."""
    old = {path: path.read_bytes() for path in warm.files("*.nbc")}
    warm.change_callee()
    assert warm.run(WHOLE)["numbers"] == TRIPLED
    for path, code in old.items():
        path.write_bytes(code)
    assert warm.run(WHOLE)["numbers"] == TRIPLED


def test_code_of_one_function_is_not_taken_for_that_of_another(installation):
    """As two processes leave it that take the same number for their files."""
    doubling, negating = (
        f"{KERNELS}\nprint(json.dumps(applied(tiny.loop_of(tiny.{step}))))"
        for step in ("double", "negate")
    )
    folders = [installation.home / name for name in ("first", "second")]
    numbers = [
        installation.run(script, NUMBA_CACHE_DIR=str(folder))
        for script, folder in zip((doubling, negating), folders, strict=True)
    ]
    assert numbers == [DOUBLED, [-1.0, -2.0, -3.0]]
    codes = [installation.files("tiny.loop_of.*.nbc", of=each) for each in folders]
    assert [len(each) for each in codes] == [1, 1]
    assert codes[0][0].name == codes[1][0].name
    codes[0][0].write_bytes(codes[1][0].read_bytes())
    for _ in range(2):
        assert installation.run(doubling, NUMBA_CACHE_DIR=str(folders[0])) == DOUBLED


@only_compiled
def test_loops_of_all_cells_are_told_apart():
    from skrnn._core.recurrence import backward_of, forward_of

    cells = [make_cell("rnn", activation) for activation in get_args(ActivationName)]
    cells += [make_cell(name) for name in CELLS if name != "rnn"]
    loops = [forward_of(cell.forward, kind) for cell in cells for kind in (True, False)]
    loops += [backward_of(cell.backward) for cell in cells]
    identities = {compiled_module._identity(loop) for loop in loops}
    assert len(identities) == len(loops) == 3 * (2 + len(CELLS))


# What a thread does while another one forks, and how this one knows that it does.
WHILE_COMPILING = """
from numba.core.compiler_lock import global_compiler_lock

work = whole

def has_begun():
    is_free = global_compiler_lock._lock.acquire(blocking=False)
    if is_free:
        global_compiler_lock._lock.release()
    return not is_free
"""
WHILE_CALLING_LLVM = """
from llvmlite.binding import ffi

is_inside = threading.Event()
has_begun = is_inside.is_set

def work():
    with ffi.lib._lock:
        is_inside.set()
        time.sleep(0.5)
"""
FORK = """
import os, signal, threading, time
{while_}
thread = threading.Thread(target=work)
thread.start()
while not has_begun():
    assert thread.is_alive()
    time.sleep(0.001)
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # ends the process, if it waits for ever
        os._exit(0 if small() and whole() else 1)
    children.append(child)
codes = [os.waitpid(child, 0)[1] for child in children]
thread.join()
print(json.dumps([codes, whole()]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize(
    "while_",
    [
        pytest.param(WHILE_COMPILING, id="compiling"),
        pytest.param(WHILE_CALLING_LLVM, id="calling LLVM"),
    ],
)
def test_children_compile_though_a_thread_of_their_parent_had_locks(
    while_, installation
):
    codes, numbers = installation.run(KERNELS + FORK.format(while_=while_))
    assert codes == [0, 0, 0]
    assert numbers == DOUBLED


ANNOUNCED = f"""{KERNELS}
import threading
from contextvars import copy_context
from skrnn._core.compiled import Announcement

def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    thread.join()
    return len(said)

said, n_said = [], []
small()
with Announcement(said.append):
    n_said.append(in_thread(applied, tiny.loop_of(tiny.negate)))
    n_said.append(in_thread(copy_context().run, whole))
    applied(tiny.loop_of(tiny.square))
n_said.append(len(said))
print(json.dumps([n_said, said, counts()["compiled"]]))
"""


def test_compilation_is_announced_once_to_those_who_asked(installation):
    """Another thread compiles in silence, unless it runs in a copy of the context."""
    n_said, said, n_compiled = installation.run(ANNOUNCED)
    assert n_said == [0, 1, 1] and n_compiled == 8
    assert said == [
        "Compiling for this processor, which takes some seconds. The result is kept "
        "for the next time."
    ]


# What is not public may be gone in a new version of numba


OF_OUR_OWN = {"_is_whole", "_checksum"}


def overriding_classes():
    """Those of skrnn that inherit from numba's."""
    classes = [
        each for each in vars(compiled_module).values() if isinstance(each, type)
    ]
    return [each for each in classes if numbas(each) and numbas(each)[0] is not each]


def numbas(cls):
    return [each for each in cls.__mro__ if each.__module__ == caching.__name__]


@only_compiled
@pytest.mark.parametrize("cls", overriding_classes())
def test_numba_has_the_private_parts_that_are_overridden(cls):
    """Otherwise nothing would be kept on disk, or nothing would be checked."""
    ours = [each for each in cls.__mro__ if each.__module__ == compiled_module.__name__]
    names = {name for each in ours for name in vars(each) if name[:2] != "__"}
    assert names - OF_OUR_OWN
    for name in names - OF_OUR_OWN:
        assert any(name in vars(each) for each in numbas(cls)), name


@only_compiled
def test_numba_asks_the_cache_that_a_dispatcher_is_given():
    asked = []

    class Cache(caching.NullCache):
        def load_overload(self, sig, target_context):
            asked.append("load")

        def save_overload(self, sig, data):
            asked.append("save")

    dispatcher = numba.njit(lambda x: x + 1)
    assert isinstance(dispatcher._cache, caching.NullCache)
    dispatcher._cache = Cache()
    assert dispatcher(1) == 2 and asked == ["load", "save"]


@only_compiled
@pytest.mark.parametrize(
    "owner, name",
    [
        (caching.IndexDataCacheFile, "_load_index"),
        (caching.IndexDataCacheFile, "_data_path"),
        (CompileResult, "_rebuild"),
    ],
)
def test_what_numba_does_not_have_is_not_taken_for_a_damaged_file(
    owner, name, monkeypatch
):
    """To compile each time would hide it."""

    def fresh():
        @compiled
        def half(x):
            return x / 2

        return half

    assert fresh()(3.0) == 1.5  # it is on disk now
    half = fresh()
    assert half(3.0) == 1.5 and sum(half.stats.cache_hits.values()) == 1
    monkeypatch.delattr(owner, name)
    with pytest.raises(AttributeError, match=name):
        fresh()(3.0)


INTERRUPT = """
import json, os, signal, sys, threading, time
import numpy as np
from skrnn._core.compiled import compiled
from skrnn._core.elementwise import tanh
from skrnn._core.products import multiply

LINES = '''
@compiled
def inner(x, y):
    for i in range(len(x)):
        y[i] = tanh(x[i]) + min(x[i], 1.0)

@compiled
def outer(x, y, A, C):
    inner(x, y)
    multiply(A, A, C, False)
'''

def fresh():
    # Not from a file: nothing is kept on disk.
    names = {"compiled": compiled, "tanh": tanh, "multiply": multiply}
    exec(LINES, names)
    return names["outer"]

came = False
def handler(*_):
    global came
    came = True
    raise KeyboardInterrupt
signal.signal(signal.SIGINT, handler)

def check(function):
    x, y, A = np.linspace(-3, 3, 7), np.zeros(7), np.eye(3)
    C = np.zeros_like(A)
    function(x, y, A, C)
    assert np.allclose(y, np.tanh(x) + np.minimum(x, 1)) and (C == A).all()

check(fresh())
start = time.perf_counter()
check(fresh())  # without what others have compiled
duration = time.perf_counter() - start
n_interrupted = 0
for share in np.linspace(0.02, 0.95, 12):
    function, came, is_over = fresh(), False, False
    timer = threading.Timer(share * duration, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        check(function)
        is_over = True
        while not came:
            time.sleep(0.001)
    except KeyboardInterrupt:
        n_interrupted += not is_over
    timer.join()
    check(function)
    check(fresh())
print(json.dumps(n_interrupted))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="other signals")
def test_ctrl_c_during_compilation_leaves_everything_usable(installation):
    assert installation.run(INTERRUPT) > 0


def test_without_numba_python_runs_the_same_lines(installation):
    """That is, without its compiler."""
    script = """
import json
import numpy as np
from skrnn._core import rows
from skrnn._core.compiled import IS_COMPILED

W, W_T = np.arange(6.0).reshape(2, 3), np.empty((3, 2))
rows.transpose(W, W_T)
print(json.dumps([IS_COMPILED, W_T.tolist()]))
"""
    transposed = [[0, 3], [1, 4], [2, 5]]
    assert installation.run(script, NUMBA_DISABLE_JIT="1") == [False, transposed]
    assert installation.files() == []
