"""The documentation presents all parameters, and its links lead somewhere."""

import re
import sys
from pathlib import Path

import pytest

import skrnn

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))

import check_links
import purposes

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("cls", purposes.estimators(), ids=lambda cls: cls.__name__)
def test_docstrings_mention_no_parameters_of_other_classes(cls):
    absent = purposes.all_names() - set(purposes.names_of(cls))
    assert [name for name in absent if f"`{name}`" in cls.__doc__] == []
    assert "{if" not in cls.__doc__ and "{end}" not in cls.__doc__


@pytest.mark.parametrize("cls", purposes.estimators(), ids=lambda cls: cls.__name__)
def test_each_parameter_has_one_purpose(cls):
    listed = [name for names in purposes.PURPOSES.values() for name in names]
    for name in purposes.names_of(cls):
        assert listed.count(name) == 1, f"docs/purposes.py has not one place for {name}"


def test_purposes_name_parameters_that_exist():
    known = {name for cls in purposes.estimators() for name in purposes.names_of(cls)}
    assert purposes.all_names() == known


def test_tables_of_parameters_tell_defaults_and_estimators():
    lines = list(purposes.tables())
    at = lines.index("   * - ``nhidden``")
    defaults = "     - ``128``, ``256``, ``(128, 128)``"
    assert lines[at + 1 : at + 3] == [defaults, "     - all"]
    at = lines.index("   * - ``transitions``")
    assert lines[at + 2] == "     - :class:`~skrnn.RNNTagger`"


def test_parameters_are_grouped_and_nothing_is_lost():
    entry = "    **{}** : int\n        What it is."
    text = [entry.format(name) for name in ("nhidden", "random_state", "cell")]
    lines = [":Parameters:", "", *"\n\n".join(text).split("\n"), "", ":Attributes:"]
    network, cell = lines[2:4], lines[8:10]
    last = ["    .. rubric:: Reproducibility and progress", "", *lines[5:7]]
    first = ["    .. rubric:: Network", "", *network, "", *cell]
    expected = [":Parameters:", "", "", *first, "", *last, "", ":Attributes:"]
    kept = [line for line in purposes.grouped(lines) if line]
    assert kept == [line for line in expected if line]
    assert purposes.grouped([":Attributes:"]) == [":Attributes:"]


def test_broken_links_are_found(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text('<p id="here">', encoding="utf-8")
    good = '<a href="a/#here"> <a href="#top"> <a href="https://example.org/none">'
    (tmp_path / "b.html").write_text(good, encoding="utf-8")
    assert list(check_links.broken_links(tmp_path)) == []
    bad = '<a href="a/#there"> <img src="c.png" srcset="d.png, e.png 2x">'
    (tmp_path / "b.html").write_text(bad, encoding="utf-8")
    assert list(check_links.broken_links(tmp_path)) == [
        "b.html: a/#there leads to no place in its page.",
        "b.html: c.png leads to no file.",
        "b.html: d.png leads to no file.",
        "b.html: e.png leads to no file.",
    ]


def test_the_version_to_cite_is_the_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {skrnn.__version__}\n" in text


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem
)
def test_headings_of_lessons_are_underlined_in_a_line_of_their_own(path):
    text = path.read_text(encoding="utf-8")
    underlines = re.findall(r"^# (.+)\n# (--.*)$", text, re.MULTILINE)
    assert [line for _, line in underlines if line.strip("-")] == []


def test_the_readme_fits_on_a_page_and_its_links_lead_to_files():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 120
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if ":" not in link]
    assert len(links) > 8
    assert [link for link in links if not (ROOT / link).exists()] == []
