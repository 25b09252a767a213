"""Compiled code: the same numbers, kept on disk, fresh, and there after any trouble."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import skrnn
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


# In processes of their own, with a copy of the package


KERNELS = """
import gc, json, sys
import numpy as np
import numba
from numba.core.dispatcher import Dispatcher
from skrnn._core import recurrence, rows
from skrnn._core.cells import make_cell

def small():
    W, W_T = np.arange(12, dtype=np.float32).reshape(3, 4), np.empty((4, 3), "f4")
    rows.transpose(W, W_T)
    return W_T.ravel().tolist()

def whole():
    G, H = np.full((4, 3), 0.5, np.float32), np.empty((4, 3), np.float32)
    run = recurrence.forward_of(make_cell("rnn").forward, True)
    start, sizes = np.zeros((2, 3), np.float32), np.array([2, 2])
    layer = np.zeros((1, 3), "f4"), np.ones((3, 3), "f4"), np.full(3, 0.5, "f4")
    run(np.zeros((4, 1), np.int32), layer, (start,), False, sizes, G, (H,))
    return H[:, 0].tolist()

def counts():
    stats = [d.stats for d in gc.get_objects() if isinstance(d, Dispatcher)]
    return {
        "found": sum(sum(s.cache_hits.values()) for s in stats),
        "compiled": sum(sum(s.cache_misses.values()) for s in stats),
    }
"""
SMALL = f"{KERNELS}\nprint(json.dumps({{'numbers': small(), **counts()}}))"
WHOLE = f"{KERNELS}\nprint(json.dumps({{'numbers': whole(), **counts()}}))"
BOTH = f"{KERNELS}\nprint(json.dumps({{'numbers': [small(), whole()], **counts()}}))"
TRANSPOSED = np.arange(12.0).reshape(3, 4).T.ravel().tolist()
STATES = [np.tanh(0.5)] * 2 + [np.tanh(0.5 + 3 * np.tanh(0.5))] * 2


class Installation:
    """A copy of the package, and a home for its user."""

    def __init__(self, folder, of=Path(skrnn.__file__).parents[1], with_code=False):
        self.root, self.home = folder / "packages", folder / "home"
        ignored = None if with_code else shutil.ignore_patterns("__pycache__")
        shutil.copytree(of / "skrnn", self.root / "skrnn", ignore=ignored)
        self.home.mkdir()

    @property
    def core(self):
        return self.root / "skrnn" / "_core"

    def files(self, pattern="*.nb[ic]", of=None):
        """Those of compiled code, beside the sources or in another folder."""
        return sorted((of or self.root).rglob(pattern))

    def run(self, script, **variables):
        """Run Python; return what it prints, read as JSON."""
        variables = {
            **os.environ,
            "HOME": str(self.home),
            "PYTHONPATH": str(self.root),
            "PYTHONWARNINGS": "ignore",
            **variables,
        }
        variables.pop("XDG_CACHE_HOME", None)
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=variables,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
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
    first = [installation.run(script) for script in (SMALL, WHOLE)]
    assert all(result["compiled"] > 0 for result in first)
    return installation


@pytest.fixture
def warm(used_before, tmp_path):
    """A copy of it: what it was made from is the same."""
    return Installation(tmp_path, used_before.root, with_code=True)


def test_a_second_process_compiles_nothing(warm):
    """Nor a third one; and they write nothing."""
    files = warm.files()
    assert len(files) > 0
    for _ in range(2):
        again = warm.run(WHOLE)
        assert again["compiled"] == 0 and again["found"] > 0
        np.testing.assert_allclose(again["numbers"], STATES, rtol=1e-6)
        assert warm.files() == files


ESTIMATORS = """
import gc, json
from numba.core.dispatcher import Dispatcher
from skrnn import RNNClassifier, RNNEncoder, RNNRegressor

X = ["ab", "b", "ba", ""] * 20
params = dict(max_iter=2, random_state=0)
for cell in ("rnn", "gru", "lstm"):
    RNNClassifier(4, cell=cell, **params).fit(X, X).predict(X)
RNNRegressor((4, 3), bidirectional=True, **params).fit([[0.5, 2.0]] * 9, range(9))
RNNEncoder(4, truncate=3, **params).fit(["abcdefg"] * 5).transform(X)
stats = [d.stats for d in gc.get_objects() if isinstance(d, Dispatcher)]
print(json.dumps(sum(sum(s.cache_misses.values()) for s in stats)))
"""


def test_a_second_process_of_estimators_compiles_nothing(installation):
    assert installation.run(ESTIMATORS) > 0
    assert installation.run(ESTIMATORS) == 0


def test_processes_may_compile_at_the_same_time(installation):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(installation.run(WHOLE)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    for result in [*results, installation.run(WHOLE)]:
        np.testing.assert_allclose(result["numbers"], STATES, rtol=1e-6)
    assert installation.run(WHOLE)["compiled"] == 0


def test_code_of_other_sources_is_not_used(warm):
    """Though the function that is called, and its file, are the same as before."""
    callee = warm.core / "elementwise.py"
    source = callee.read_text(encoding="utf-8")
    changed = source.replace("y = x * p / q", "y = -x * p / q")
    assert changed != source
    callee.write_text(changed, encoding="utf-8")
    result = warm.run(WHOLE)
    assert result["found"] == 0 and result["compiled"] > 0
    np.testing.assert_allclose(result["numbers"][:2], [-np.tanh(0.5)] * 2, rtol=1e-6)
    callee.write_text(source, encoding="utf-8")
    result = warm.run(WHOLE)
    np.testing.assert_allclose(result["numbers"], STATES, rtol=1e-6)


def test_the_stamp_changes_with_each_source(installation):
    script = """
import json
from pathlib import Path
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
print(json.dumps(stamps))
"""
    sources = list(installation.core.rglob("*.py"))
    stamps = installation.run(script)
    assert len(set(stamps)) == len(stamps) == len(sources) + 2


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
        assert result["numbers"] == TRANSPOSED and result["compiled"] > 0
    assert read_only.files() == read_only.files(of=read_only.home) == []


def emptied(data):
    return b""


def cut_off(data):
    return data[: len(data) // 2]


def zeroed(data):
    return bytes(len(data))


def of_something_else(data):
    return b"\x80\x04K\x01."  # a pickle of 1


@pytest.mark.parametrize("damage", [emptied, cut_off, zeroed, of_something_else, None])
def test_damaged_files_are_replaced(damage, warm):
    """An index, and code that an index names."""
    files = warm.files("*transpose*.nbi") + warm.files("*.forward_of.*.nbc")
    assert len(files) == 2
    for path in files:
        if damage is None:
            path.unlink()
        else:
            path.write_bytes(damage(path.read_bytes()))
    broken = warm.run(BOTH)
    assert broken["compiled"] > 0
    assert broken["numbers"][0] == TRANSPOSED
    np.testing.assert_allclose(broken["numbers"][1], STATES, rtol=1e-6)
    # One may remove what is broken, and leave it to the next one to write.
    assert warm.run(BOTH)["compiled"] == 0 or warm.run(BOTH)["compiled"] == 0


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
    assert full["numbers"] == TRANSPOSED and full["compiled"] > 0
    assert installation.files("*.tmp.*") == []
    installation.run(SMALL)
    assert installation.run(SMALL)["compiled"] == 0


def test_an_index_of_new_sources_does_not_find_old_code(warm):
    """As a process leaves it that ends after it has written the index."""
    old = {path: path.read_bytes() for path in warm.files("*.nbc")}
    callee = warm.core / "elementwise.py"
    source = callee.read_text(encoding="utf-8")
    changed = source.replace("y = x * p / q", "y = -x * p / q")
    callee.write_text(changed, encoding="utf-8")
    expected = warm.run(WHOLE)["numbers"]
    for path, code in old.items():
        path.write_bytes(code)
    assert warm.run(WHOLE)["numbers"] == expected


FORK = f"""{KERNELS}
import os, signal, threading, time
from numba.core.compiler_lock import global_compiler_lock

def is_compiling():
    is_free = global_compiler_lock._lock.acquire(blocking=False)
    if is_free:
        global_compiler_lock._lock.release()
    return not is_free

thread = threading.Thread(target=whole)
thread.start()
while not is_compiling():
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
def test_children_compile_though_a_thread_of_their_parent_was_compiling(installation):
    codes, numbers = installation.run(FORK)
    assert codes == [0, 0, 0]
    np.testing.assert_allclose(numbers, STATES, rtol=1e-6)


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

start = time.perf_counter()
check(fresh())
check(fresh())
duration = (time.perf_counter() - start) / 2
n_interrupted = 0
for share in np.linspace(0.02, 0.95, 12):
    function, came = fresh(), False
    timer = threading.Timer(share * duration, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        check(function)
        while not came:
            time.sleep(0.001)
    except KeyboardInterrupt:
        n_interrupted += 1
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
from skrnn._core import recurrence
from skrnn._core.compiled import IS_COMPILED

W, W_T = np.arange(12.0).reshape(3, 4), np.empty((4, 3))
recurrence.transpose(W, W_T)
print(json.dumps([IS_COMPILED, W_T.ravel().tolist()]))
"""
    assert installation.run(script, NUMBA_DISABLE_JIT="1") == [False, TRANSPOSED]
    assert installation.files() == []


CELLS = """
import numpy as np
from skrnn import RNNEncoder
for cell in ("gru", "rnn"):
    encoder = RNNEncoder(4, cell=cell, pooling="last", max_iter=1, random_state=0)
    print(encoder.fit(["ab", "ba"], [0, 1]).transform(["ab"]).tolist())
"""


@only_compiled
def test_code_of_one_cell_is_not_taken_for_that_of_another(tmp_path):
    """As two processes leave it that take the same number for their files."""

    def run():
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", CELLS]
        return subprocess.check_output(command, env=environment, text=True)

    expected = run()
    codes = sorted(tmp_path.rglob("*forward_of.locals.forward*.nbc"))
    assert len(codes) == 2
    contents = [path.read_bytes() for path in codes]
    for path, content in zip(codes, contents[::-1], strict=True):
        path.write_bytes(content)
    assert run() == expected
    assert run() == expected
