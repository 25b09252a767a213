"""The peak memory of fits on Parquet files larger than that.

    python benchmarks/out_of_core.py                  # 0.2 GB and 2 GB of documents
    python benchmarks/out_of_core.py --kind series
    python benchmarks/out_of_core.py --quick          # some megabytes, in seconds

Files of made-up documents, or of series, are written to a temporary folder, by another
process, and removed afterwards. Each fit is a process of its own, of which the peak of
the resident memory is printed, including Python and all libraries.
"""

import argparse
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

GIGABYTES, QUICK = (0.2, 2.0), (0.002, 0.01)
# Some numbers of rows: of a file, and of a row group, which is written at once.
FILE_ROWS, GROUP_ROWS = 100_000, 1000
# Random letters and random digits, which no compression makes much smaller.
N_WORDS, WORDS_PER_DOCUMENT = 200_000, 250
N_STEPS, N_FEATURES = 1000, 2
BUFFERS = {"documents": 5000, "series": 1000}
# The network reads the first words of a document; the file has all of them.
PARAMETERS = {
    "documents": {
        "nhidden": 16,
        "analyzer": "word",
        "max_length": 20,
        "overlong": "first",
        "max_features": 20_000,
    },
    "series": {
        "nhidden": 16,
        "patch_length": 50,
        "kernel_sizes": None,
        "n_wide_features": None,
    },
}


def documents(rng, n):
    """Strings of words, and of which half of all words there are more."""
    import pyarrow as pa

    words = np.random.default_rng(0)  # the same in each file
    letters = words.integers(97, 123, (N_WORDS, 7), dtype=np.uint8)
    letters[:, -1] = ord(" ")
    y = rng.integers(0, 2, n)
    # As in texts, some words are frequent, and most are rare.
    chosen = (N_WORDS * rng.random((n, WORDS_PER_DOCUMENT)) ** 4).astype(int)
    chosen -= (chosen + y[:, np.newaxis]) % 2 * (rng.random(chosen.shape) < 0.2)
    text = letters[chosen].reshape(n, -1)
    offsets = np.arange(n + 1, dtype=np.int32) * text.shape[1]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text.ravel())]
    return pa.StringArray.from_buffers(n, *buffers[1:]), y


def series(rng, n):
    """Random walks, and whether they end higher than they began."""
    import pyarrow as pa

    values = rng.normal(size=(n, N_STEPS, N_FEATURES)).cumsum(axis=1)
    values = pa.array(values.astype(np.float32).ravel())
    steps = pa.FixedSizeListArray.from_arrays(values, N_FEATURES)
    offsets = pa.array(np.arange(n + 1, dtype=np.int32) * N_STEPS)
    y = (values.to_numpy().reshape(n, N_STEPS, -1)[:, -1, 0] > 0).astype(int)
    return pa.ListArray.from_arrays(offsets, steps), y


MAKERS = {"documents": documents, "series": series}


def write(folder, kind, n_bytes):
    """Write Parquet files of at least so many bytes."""
    import pyarrow as pa
    from pyarrow import parquet

    rng, n_files = np.random.default_rng(0), 0
    while size_of(folder) < n_bytes:
        path = Path(folder) / f"{n_files:05}.parquet"
        n_files += 1
        writer, n_rows = None, 0
        while n_rows < FILE_ROWS and size_of(folder) < n_bytes:
            X, y = MAKERS[kind](np.random.default_rng(rng.integers(2**32)), GROUP_ROWS)
            table = pa.table({"X": X, "y": y})
            writer = writer or parquet.ParquetWriter(path, table.schema)
            writer.write_table(table)
            n_rows += GROUP_ROWS
        writer.close()


def size_of(folder):
    """The bytes of all files of a folder."""
    return sum(path.stat().st_size for path in Path(folder).iterdir())


def fit(folder, kind, buffer_size):
    """Fit a classifier for one epoch, and return what that took."""
    from skrnn import ChunkedDataset, RNNClassifier

    before = peak()
    of = {"X": "X", "y": "y", "buffer_size": buffer_size}
    data = ChunkedDataset.from_parquet(folder, **of)
    classifier = RNNClassifier(**PARAMETERS[kind], max_iter=1, random_state=0)
    started = time.perf_counter()
    classifier.fit(data)
    seconds = time.perf_counter() - started
    n_samples = sum(len(y) for _, y, _ in data.chunks())
    return {
        "kind": kind,
        "gigabytes": size_of(folder) / 1e9,
        "sequences": n_samples,
        "seconds": seconds,
        "sequences_per_second": n_samples / seconds,
        "peak_before": before,
        "peak": peak(),
        "loss": classifier.loss_,
    }


def peak():
    """The peak of the resident memory of this process so far, in gigabytes."""
    of = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return of * (1 if sys.platform == "darwin" else 1024) / 1e9


def measure(kind, gigabytes, buffer_size):
    """Write files, fit on them, and remove them."""
    processes = multiprocessing.get_context("spawn")
    folder = tempfile.mkdtemp()
    try:
        for function, *of in ((write, kind, gigabytes * 1e9), (fit, kind, buffer_size)):
            with processes.Pool(1) as pool:
                result = pool.apply(function, (folder, *of))
        return result
    finally:
        shutil.rmtree(folder)


def main():
    """Measure, and print a line of each size of files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=MAKERS, default="documents")
    parser.add_argument("--gigabytes", type=float, nargs="+", default=GIGABYTES)
    parser.add_argument("--buffer-size", type=int, help="5000 documents, 1000 series")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="print all figures")
    of = parser.parse_args()
    buffer_size = 500 if of.quick else of.buffer_size or BUFFERS[of.kind]
    for gigabytes in QUICK if of.quick else of.gigabytes:
        line = measure(of.kind, gigabytes, buffer_size)
        if of.json:
            print(json.dumps(line), flush=True)
            continue
        print(
            f"{line['gigabytes']:.2f} GB of {of.kind}: {line['sequences']:,} sequences "
            f"at {line['sequences_per_second']:,.0f} per second, peak of "
            f"{line['peak']:.2f} GB resident, of which {line['peak_before']:.2f} GB "
            "before the fit",
            flush=True,
        )


if __name__ == "__main__":
    main()
