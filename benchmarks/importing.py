"""How long ``import skrnn`` takes, beside what it cannot do without.

    python benchmarks/importing.py [--rounds N]

Each import in a process of its own, in turn; the median of all rounds.
"""

import argparse
import subprocess
import sys
from functools import partial

import timing

STATEMENTS = ("import torch, sklearn.base", "import skrnn")


def run(statement):
    """Run a statement in a new process."""
    subprocess.run([sys.executable, "-c", statement], check=True)


def main(arguments=None):
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    parsed = parser.parse_args(arguments)
    functions = {statement: partial(run, statement) for statement in STATEMENTS}
    timings = timing.alternate(functions, parsed.rounds)
    least = timings[STATEMENTS[0]].median
    print("| statement | seconds | ratio |\n| --- | --- | --- |")
    for statement, (median, _) in timings.items():
        print(f"| {statement} | {median:.2f} | {median / least:.2f} |")


if __name__ == "__main__":
    main()
