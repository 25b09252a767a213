"""The examples run as a user runs them, and say what they promise."""

import os
import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(script, *arguments):
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cat_chat_katze():
    output = run("plot_01_cat_chat_katze.py")
    sums, _, bag, *_, learned = output.split("\n\n")[:-1]
    for line in ("cat   -> 6", "chat  -> 9", "katze -> 17"):
        assert line in sums
    assert "cat and act are the same" in bag
    assert "cat and act are told apart" in learned
    assert "The loop and transform agree: True" in learned
    assert "100% of the words are classified correctly" in learned


def test_surnames(tmp_path):
    figure, letters = tmp_path / "surnames.png", tmp_path / "letters.svg"
    output = run("plot_02_surnames.py", "--figure", figure, "--letters", letters)
    lines = {line[:26].strip(): line[26:].split() for line in output.splitlines()}
    bag, ours = (
        float(lines[name][0])
        for name in ("bag of characters + forest", "RNNClassifier")
    )
    assert ours > bag + 0.05
    assert float(lines["RNNEncoder + forest"][0]) > bag + 0.05
    assert figure.stat().st_size > 10_000
    assert "Martinsson: Swedish" in letters.read_text(encoding="utf-8")


def test_surnames_of_a_csv_file(tmp_path):
    path = tmp_path / "names.csv"
    rows = [f"{start}{end},{end}" for start in "abcdefghij" for end in ("ov", "sen")]
    path.write_text("name,label\n" + "\n".join(rows * 3) + "\n", encoding="utf-8")
    output = run("plot_02_surnames.py", path)
    assert "45 training and 15 test names, 2 labels" in output
    assert "names the language of 100.0% of unseen surnames" in output


def test_tagging(tmp_path):
    figure = tmp_path / "hyphens.png"
    output = run("plot_03_tagging.py", "presentation", "--figure", figure)
    shares = dict(re.findall(r"(Words|Accuracy).*?: (\d+\.\d)%", output))
    assert float(shares["Words"]) > 75
    assert float(shares["Accuracy"]) > 95
    assert output.splitlines()[-1] == "pre-sen-ta-tion"
    assert figure.stat().st_size > 10_000


def test_text_generation(tmp_path):
    figure, text = tmp_path / "text.png", tmp_path / "text.txt"
    text.write_text("one two three four " * 600, encoding="utf-8")
    output = run("plot_04_text_generation.py", text, "--figure", figure)
    first, *read, surnames, last = output.strip().split("\n\n")
    assert first == "10,260 characters to read, of 10 kinds"
    assert len(read) == 3 and all(part.count("\n") == 3 for part in read)
    assert "of 100 surnames are new" in surnames
    forwards, backwards = map(float, re.findall(r"-\d\.\d\d", surnames))
    assert forwards > backwards + 1
    assert last.startswith("The perplexity fell from ")
    assert figure.stat().st_size > 10_000


def test_decoder(tmp_path):
    figure = tmp_path / "digits.png"
    output = run("plot_05_decoder.py", "--figure", figure)
    spelled = re.findall(r"^(\d+\.\d)% of 450 unseen images are spelled", output)
    in_languages = re.findall(r"^\w+: (\d+\.\d)% right", output, flags=re.MULTILINE)
    assert len(spelled) == 1 and len(in_languages) == 2
    assert min(map(float, (*spelled, *in_languages))) >= 96
    half = int(re.search(r"Half-way, (\d+)% of the samples are German", output)[1])
    assert 25 <= half <= 75
    assert figure.stat().st_size > 10_000


def test_seeing_inside(tmp_path):
    figure = tmp_path / "katze.png"
    output = run("plot_07_seeing_inside.py", "--figure", figure)
    right = re.search(r"^(\d+\.\d)% of 600 unseen names are right", output)
    assert float(right[1]) > 70
    stages = dict(re.findall(r"^ +(\d+) +(\d+\.\d)%$", output, flags=re.MULTILINE))
    shares = [float(share) for share in stages.values()]
    assert shares == sorted(shares) and shares[-1] == float(right[1])
    assert re.search(r"German  +\[", output)
    assert output.endswith("letters, more than half of the names are right.\n")
    assert figure.stat().st_size > 10_000


def test_seq2seq(tmp_path):
    figure = tmp_path / "dates.png"
    output = run("plot_06_seq2seq.py", "--figure", figure)
    right = re.search(r"^(\d+\.\d)% of 500 unseen days", output, flags=re.MULTILINE)
    without = re.search(r"Without attention, (\d+\.\d)%", output)
    assert float(right[1]) >= 99
    assert float(without[1]) < float(right[1])
    best = dict(re.findall(r"^ *(.+): (\d{4}-\d\d-\d\d) ", output, flags=re.MULTILINE))
    assert best["Jun 05 69"] == "2069-06-05" and best["Jun 05 70"] == "1970-06-05"
    assert best["06/05/2024"] == best["05 June 2024"] == "2024-06-05"
    assert figure.stat().st_size > 10_000


def share(pattern, output):
    """A percentage in what a script has printed, as a number from 0 to 100."""
    return float(re.search(pattern, output)[1])


def test_gestures():
    output = run("plot_08_gestures.py")
    known = share(r"people it knows: (.*)%", output)
    new = share(r"new people: (.*)%", output)
    assert known > 90 and 60 < new < known - 2


def test_colours():
    output = run("plot_09_colours.py")
    rows = re.findall(r"^(.+?)  +(0\.\d+)$", output, flags=re.MULTILINE)
    off = {name: float(distance) for name, distance in rows}
    assert off["RNNRegressor"] < off["n-grams + Ridge"] < off["mean colour"]


def test_grid_search():
    output = run("plot_10_grid_search.py")
    assert "GridSearchCV" in output and "100%" in output
    assert share(r"on unseen names: (.*)%", output) > 70


def test_few_labels():
    output = run("plot_11_few_labels.py")
    assert "Without labels: next_step" in output
    assert share(r"names without labels gain (.*) points", output) > 1


def test_weights_for_torch():
    output = run("plot_12_weights_for_torch.py")
    assert share(r"differ by at most (.*)\.", output) < 1e-5
    assert share(r"; (.*)% of unseen ones", output) > 80


def test_the_article():
    output = run("plot_13_the_article.py")
    rows = re.findall(r"^(\w.+?)  +(0\.\d+) ", output, flags=re.MULTILINE)
    accuracy = {name: float(score) for name, score in rows}
    assert accuracy["the loop"] > 0.6
    assert accuracy["the defaults"] > accuracy["the loop"]


def test_streams():
    output = run("plot_14_streams.py")
    assert "Step by step is as at once: True" in output
    assert share(r"Live, (.*)% of the seconds", output) > 80


def test_spelling_to_sounds(tmp_path):
    figure = tmp_path / "sounds.png"
    output = run("plot_15_spelling_to_sounds.py", "--figure", figure)
    assert output.startswith("4000 words, such as localization: L OW K AH L AH Z EY SH")
    right = re.search(r"(\d+\.\d)% of 1000 unseen words are pronounced", output)
    assert float(right[1]) >= 40
    assert figure.stat().st_size > 10_000


def test_outgrowing_memory():
    output = run("plot_16_outgrowing_memory.py")
    assert "A part of the data: 4 files were opened." in output
    assert "All data: 360 files were opened, in 1 + 8 passes." in output
    part, everything = map(float, re.findall(r"(\d+\.\d)%", output))
    assert everything > part + 15
    assert output.endswith("In memory, the same network: True\n")
