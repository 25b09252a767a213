"""What displays show of fitted estimators, and hidden states as numbers."""

import builtins
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import (
    RNNClassifier,
    RNNDecoder,
    RNNEncoder,
    RNNEnsemble,
    RNNLanguageModel,
    RNNRegressor,
    RNNSeq2Seq,
    RNNTagger,
    inspection,
)
from skrnn.inspection import (
    AttentionDisplay,
    EmbeddingDisplay,
    HiddenStateDisplay,
    LossCurveDisplay,
    RecurrenceDisplay,
    StagedPredictionDisplay,
    TrajectoryDisplay,
    animate_hidden_states,
    hidden_states,
)

plt = pytest.importorskip("matplotlib.pyplot")

WORDS = ["cat", "chat", "katze", "act"]
LANGUAGES = ["English", "French", "German", "English"]
SENTENCES = ["the cat sat on the mat", "a dog ran to the cat", "the end is near"] * 2
SMALL = {"nhidden": 5, "max_iter": 3, "random_state": 0}


@pytest.fixture(autouse=True)
def agg(monkeypatch):
    """Figures are drawn without a screen, and closed."""
    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def classifier():
    return RNNClassifier(**SMALL, pooling="last").fit(WORDS, LANGUAGES)


@pytest.fixture(scope="module")
def model():
    model = RNNSeq2Seq(16, max_iter=150, random_state=0)
    return model.fit(WORDS, [word.upper() for word in WORDS])


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)) for n in (9, 12, 30, 7)]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


# Hidden states


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_the_last_state_is_what_transform_returns(cell):
    encoder = RNNEncoder(**SMALL, cell=cell, pooling="last", bidirectional=True)
    encoder.fit(WORDS, LANGUAGES)
    h = encoder.transform(WORDS)
    H = hidden_states(encoder, WORDS)
    assert [len(each) for each in H] == [3, 4, 5, 3]
    np.testing.assert_array_equal([each[-1, :5] for each in H], h[:, :5])
    np.testing.assert_array_equal([each[0, 5:] for each in H], h[:, 5:])


def test_states_are_those_of_beginnings(classifier):
    (H,) = hidden_states(classifier, ["katze"])
    codes = classifier.encoder_.transform(["katze"[:t] for t in range(1, 6)])
    np.testing.assert_array_equal(H, codes)


@pytest.mark.parametrize("cls", [RNNEncoder, RNNRegressor])
def test_states_of_other_estimators(cls):
    estimator = cls(**SMALL).fit(WORDS, [0.5, 1.5, 2.5, 3.5])
    H = hidden_states(estimator, WORDS * 20)  # equal strings are read once
    assert [len(each) for each in H] == [3, 4, 5, 3] * 20
    np.testing.assert_array_equal(H[4], H[0])


def test_states_of_a_tagger_give_its_scores():
    tagger = RNNTagger(**SMALL).fit(WORDS, ["cvc", "ccvc", "cvccv", "vcc"])
    H, p = hidden_states(tagger, WORDS), tagger.predict_proba(WORDS)
    for h, expected in zip(H, p, strict=True):
        scores = h @ tagger.V_.T + tagger.intercept_
        np.testing.assert_array_equal(scores.argmax(axis=1), expected.argmax(axis=1))


def test_networks_that_read_a_start_have_a_state_more(model):
    language_model = RNNLanguageModel(**SMALL).fit(WORDS)
    H = hidden_states(language_model, WORDS)
    assert [len(each) for each in H] == [4, 5, 6, 4]
    last = [each[-1] for each in H]
    np.testing.assert_array_equal(last, language_model.transform(WORDS))
    display = HiddenStateDisplay.from_estimator(language_model, "act")
    assert display.tokens == ["start", "a", "c", "t"]
    assert hidden_states(model, ["act", ""])[1].shape == (1, 32)


@pytest.mark.parametrize(
    "parameters, expected",
    [
        ({"patch_length": 4, "kernel_sizes": None}, ["0", "4", "8"]),
        ({"patch_length": 4}, ["3", "7", "8"]),
        ({"patch_length": 1, "kernel_sizes": None}, [*map(str, range(9))]),
    ],
)
def test_states_of_series_are_those_of_patches(parameters, expected, series):
    regressor = RNNRegressor(**SMALL, pooling="last", **parameters)
    regressor.fit(series, [0.0, 1.0, 2.0, 3.0])
    H, h = hidden_states(regressor, series), regressor.encoder_.transform(series)
    np.testing.assert_array_equal([each[-1] for each in H], h[:, :5])
    display = HiddenStateDisplay.from_estimator(regressor, series[0])
    assert display.tokens == expected


def test_states_of_nothing(classifier):
    assert [len(h) for h in hidden_states(classifier, ["", "a"])] == [0, 1]
    for show in (HiddenStateDisplay.from_estimator, animate_hidden_states):
        with pytest.raises(ValueError, match="x is empty, so that there is no state"):
            show(classifier, "")
    display = TrajectoryDisplay.from_estimator(classifier, ["", ""])
    np.testing.assert_array_equal(display.paths, np.zeros((2, 1, 2)))
    np.testing.assert_array_equal(display.shares, [0, 0])


# Displays


def test_a_heat_map_has_a_column_for_each_step(classifier):
    display = HiddenStateDisplay.from_estimator(classifier, "katze")
    (H,) = hidden_states(classifier, ["katze"])
    np.testing.assert_array_equal(display.image_.get_array(), H.T)
    low, high = display.image_.get_clim()
    assert low == -high and high == np.abs(H).max()
    assert ticks(display.ax_.xaxis) == [*"katze"]
    assert display.figure_ is display.ax_.figure


def test_the_units_that_vary_most_are_shown(classifier):
    display = HiddenStateDisplay.from_estimator(classifier, "katze", n_units=2)
    (H,) = hidden_states(classifier, ["katze"])
    assert display.units.tolist() == sorted(np.argsort(H.std(axis=0))[-2:])
    np.testing.assert_array_equal(display.states, H[:, display.units])
    assert ticks(display.ax_.yaxis) == [*map(str, display.units)]


def test_displays_draw_on_axes_that_are_given(classifier, model):
    _, ax = plt.subplots()
    displays = [
        HiddenStateDisplay.from_estimator(classifier, "cat", ax=ax),
        TrajectoryDisplay.from_estimator(classifier, WORDS, ax=ax),
        EmbeddingDisplay.from_estimator(classifier, ax=ax),
        LossCurveDisplay.from_estimator(classifier, ax=ax),
        AttentionDisplay.from_estimator(model, "cat", ax=ax),
    ]
    assert all(display.ax_ is ax for display in displays)
    assert displays[0].plot(ax=ax, colorbar=False) is displays[0]


def test_long_sequences_have_some_labels_and_blanks_are_visible(classifier):
    display = HiddenStateDisplay.from_estimator(classifier, "cat " * 50)
    assert display.tokens[:4] == ["c", "a", "t", "␣"]
    assert len(ticks(display.ax_.xaxis)) == 50
    words = RNNClassifier(**SMALL).fit(SENTENCES, [0, 1, 2] * 2)
    display = HiddenStateDisplay.from_estimator(words, "these cats ran")
    assert ticks(display.ax_.xaxis) == ["these", "cats", "ran"]
    assert display.ax_.get_xticklabels()[0].get_rotation() == 45


def test_paths_are_the_projected_states(classifier):
    display = TrajectoryDisplay.from_estimator(classifier, WORDS)
    H = [np.vstack([np.zeros((1, 5)), h]) for h in hidden_states(classifier, WORDS)]
    mean = np.concatenate(H).mean(axis=0)
    _, _, axes = np.linalg.svd(np.concatenate(H) - mean, full_matrices=False)
    for path, line, h in zip(display.paths, display.lines_, H, strict=True):
        ours, theirs = np.abs(path), np.abs((h - mean) @ axes[:2].T)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        np.testing.assert_array_equal(line.get_xydata(), path)
    assert display.labels == WORDS
    texts = {text.get_text() for text in display.ax_.texts}
    assert {*WORDS, *"chatkz", "0"} == texts


def test_paths_have_the_colours_of_their_groups(classifier, series):
    display = TrajectoryDisplay.from_estimator(classifier, WORDS, LANGUAGES)
    colours = [line.get_color() for line in display.lines_]
    assert colours[0] == colours[3] and len(set(colours)) == 3
    legend = display.ax_.get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["English", "French", "German"]
    many = TrajectoryDisplay.from_estimator(classifier, WORDS * 11)
    assert many.labels is None and len(many.lines_) == 44
    regressor = RNNRegressor(**SMALL).fit(series, [0.0, 1.0, 2.0, 3.0])
    assert TrajectoryDisplay.from_estimator(regressor, series).labels is None
    labels = ["one", "two", "three", "four"]
    display = TrajectoryDisplay.from_estimator(regressor, series, labels=labels)
    assert display.labels == labels


def test_long_sequences_have_short_labels():
    words = RNNClassifier(**SMALL).fit(SENTENCES, [0, 1, 2] * 2)
    display = TrajectoryDisplay.from_estimator(words, SENTENCES)
    assert display.labels[:3] == [
        "the cat sat on the …",
        "a dog ran to the cat",
        "the end is near",
    ]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_vectors_of_tokens_are_columns_of_U(bidirectional):
    classifier = RNNClassifier(**SMALL, bidirectional=bidirectional)
    classifier.fit(WORDS, LANGUAGES)
    tokens = ["t", "c", "ca", "tze"]
    display = EmbeddingDisplay.from_estimator(classifier, tokens=tokens)
    ids = [classifier.vocabulary_[token] for token in tokens]
    U = np.concatenate(classifier.U_)[:, ids].T
    assert U.shape[1] == 15 * (1 + bidirectional)
    # Distances in the plane are at most those of the vectors.
    ours = np.linalg.norm(display.points[0] - display.points[1:], axis=1)
    assert (ours <= np.linalg.norm(U[0] - U[1:], axis=1) * (1 + 1e-5)).all()
    of = U - U.mean(axis=0)
    shares = np.linalg.svd(of)[1][:2] ** 2 / (of**2).sum()
    np.testing.assert_allclose(display.shares, shares, rtol=1e-4)
    assert [text.get_text() for text in display.texts_] == tokens


def test_the_most_frequent_tokens_are_shown():
    classifier = RNNClassifier(**SMALL).fit(SENTENCES, [0, 1, 2] * 2)
    X = ["the cat and the cat and the end"] * 70  # equal strings are read once
    display = EmbeddingDisplay.from_estimator(classifier, X, max_tokens=2)
    assert display.tokens == ["the", "cat"]
    assert [text.get_text() for text in display.texts_] == ["the", "cat"]
    message = re.escape(
        "vocabulary_ has 12 single tokens, more than max_tokens=5. Pass X, of whose "
        "tokens the most frequent ones are shown, or pass tokens."
    )
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_estimator(classifier, max_tokens=5)


def test_vectors_of_features_and_pretrained_ones():
    X = [[{"word": "Ada"}, {"word": "ran", "ends": "n"}], [{"word": "ran"}]] * 3
    classifier = RNNClassifier(**SMALL).fit(X, [0, 1] * 3)
    display = EmbeddingDisplay.from_estimator(classifier, X, max_tokens=2)
    assert display.tokens == ["word:ran", "ends:n"]
    heat_map = HiddenStateDisplay.from_estimator(classifier, X[0])
    assert heat_map.tokens[1].split("\n") == ["ends:n", "word:ran"]
    vectors = {letter: np.eye(7)[i] for i, letter in enumerate("acehktz")}
    classifier = RNNClassifier(**SMALL, embeddings=vectors, freeze_embeddings=True)
    classifier.fit(WORDS, LANGUAGES)
    display = EmbeddingDisplay.from_estimator(classifier)
    np.testing.assert_allclose(display.shares, 1 / 6, rtol=1e-5)


@pytest.mark.parametrize("cell, n", [("rnn", 1), ("gru", 3), ("lstm", 4)])
def test_recurrent_weights_by_gate(cell, n):
    encoder = RNNEncoder(**{**SMALL, "nhidden": (4, 3)}, cell=cell, bidirectional=True)
    encoder.fit(WORDS, LANGUAGES)
    display = RecurrenceDisplay.from_estimator(encoder, layer=1, direction=1)
    np.testing.assert_array_equal(
        np.vstack([*display.matrices.values()]), encoder.W_[3]
    )
    for W, above in zip(display.matrices.values(), display.axes_[0], strict=True):
        np.testing.assert_array_equal(above.images[0].get_array(), W)
    for name, W in display.matrices.items():
        eigenvalues = display.eigenvalues[name]
        np.testing.assert_allclose(eigenvalues.sum(), np.trace(W), atol=1e-5)
        np.testing.assert_allclose(eigenvalues.prod(), np.linalg.det(W), atol=1e-5)
        assert (np.diff(np.abs(eigenvalues)) <= 1e-6).all()
    assert display.axes_.shape == (2, n)
    assert display.ax_ is display.axes_[0, 0]


def test_a_recurrence_without_weights_is_the_identity():
    encoder = RNNEncoder(**SMALL, cell="rnn", recurrence="identity")
    display = RecurrenceDisplay.from_estimator(encoder.fit(WORDS, LANGUAGES))
    np.testing.assert_array_equal(display.matrices["W"], np.eye(5))
    assert display.plot(ax=display.axes_) is display


def test_losses_of_training_and_validation(classifier):
    display = LossCurveDisplay.from_estimator(classifier)
    np.testing.assert_array_equal(
        display.line_.get_xydata(), [*enumerate(classifier.loss_curve_, 1)]
    )
    assert display.validation_line_ is None and display.best_epoch is None
    stopped = RNNClassifier(5, max_iter=30, early_stopping=True, random_state=0)
    stopped.fit(WORDS * 10, LANGUAGES * 10)
    display = LossCurveDisplay.from_estimator(stopped)
    np.testing.assert_array_equal(
        display.validation_line_.get_ydata(), stopped.validation_loss_curve_
    )
    best = stopped.validation_scores_[display.best_epoch - 1]
    assert best == stopped.best_validation_score_
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names == [
        "training",
        "validation",
        f"weights kept, epoch {display.best_epoch}",
    ]


def test_attention_has_a_row_for_each_written_token(model):
    display = AttentionDisplay.from_estimator(model, "cat", "ACT")
    weights = model.attention_weights("cat", "ACT")
    np.testing.assert_array_equal(display.image_.get_array(), weights)
    assert ticks(display.ax_.xaxis) == ["start", "c", "a", "t"]
    assert ticks(display.ax_.yaxis) == ["A", "C", "T", "end"]
    display = AttentionDisplay.from_estimator(model, "cat")
    assert "".join(display.written[:-1]) == model.predict(["cat"])[0]


def test_attention_to_series_begins_with_the_first_step(series):
    model = RNNSeq2Seq(**SMALL).fit(series, WORDS)
    display = AttentionDisplay.from_estimator(model, series[3], "cat")
    assert display.read == [*map(str, range(7))]


# Predictions while a sequence is read


def test_bars_are_the_probabilities_after_each_step(classifier):
    display = StagedPredictionDisplay.from_estimator(classifier, "katze")
    p = np.concatenate([*classifier.staged_predict_proba(["katze"])])
    np.testing.assert_array_equal(display.predictions, p)
    assert ticks(display.ax_.xaxis) == [*"katze"]
    order = np.argsort(-p[-1])
    assert display.shown == classifier.classes_[order].tolist()
    heights = [[bar.get_height() for bar in bars] for bars in display.bars_]
    np.testing.assert_allclose(heights, p.T[order])
    below = [[bar.get_y() for bar in bars] for bars in display.bars_]
    np.testing.assert_allclose(below, np.cumsum(heights, axis=0) - heights)
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names == display.shown[::-1]
    written = {text.get_text() for text in display.ax_.texts}
    assert written == {f"{share:.0%}" for share in p.max(axis=1)}


def test_rare_classes_are_drawn_together():
    letters = [*"abcdefghij"]
    classifier = RNNClassifier(5, max_iter=40, random_state=0).fit(letters, letters)
    display = StagedPredictionDisplay.from_estimator(classifier, "abc", n_outputs=3)
    assert len(display.shown) == 4 and display.shown[-1] == "others"
    heights = [[bar.get_height() for bar in bars] for bars in display.bars_]
    np.testing.assert_allclose(np.sum(heights, axis=0), 1)
    lines = StagedPredictionDisplay.from_estimator(classifier, "abc", kind="lines")
    assert len(lines.shown) == len(lines.lines_) == 6
    with pytest.raises(ValueError, match="n_outputs is 8: a number from 1 to 7 was"):
        lines.plot(n_outputs=8)


def test_lines_of_numbers_and_of_labels(series):
    regressor = RNNRegressor(**SMALL, patch_length=4).fit(series, np.eye(4)[:, :2])
    display = StagedPredictionDisplay.from_estimator(regressor, series[0])
    assert ticks(display.ax_.xaxis) == ["3", "7", "8"]
    expected = [
        regressor.predict([series[0][:n]])[0, int(name)]
        for name in display.shown
        for n in (4, 8, 9)
    ]
    drawn = np.concatenate([line.get_ydata() for line in display.lines_])
    np.testing.assert_allclose(drawn, expected, atol=1e-6)
    regressor.fit(series, [0.0, 1.0, 2.0, 3.0])
    display = StagedPredictionDisplay.from_estimator(regressor, series[0])
    assert display.ax_.get_legend() is None and display.predictions.shape == (3, 1)
    labels = RNNClassifier(**SMALL).fit(WORDS, [[1, 0], [0, 1], [1, 1], [0, 0]])
    display = StagedPredictionDisplay.from_estimator(labels, "cat")
    assert display.kind == "lines" and display.ax_.get_ylabel() == "probability"
    with pytest.raises(ValueError, match=r"does not sum up to 1. Use kind='lines'"):
        StagedPredictionDisplay.from_estimator(labels, "cat", kind="bars")
    with pytest.raises(ValueError, match=r"The 'kind' parameter of .* must be a str"):
        StagedPredictionDisplay.from_estimator(labels, "cat", kind="pie")


def test_an_empty_string_has_one_stage(classifier):
    display = StagedPredictionDisplay.from_estimator(classifier, "")
    assert display.tokens == [""] and display.predictions.shape == (1, 3)


# Films


def test_a_film_has_a_frame_for_each_step(classifier, tmp_path):
    from PIL import Image

    path = tmp_path / "katze.gif"
    animation = animate_hidden_states(classifier, "katze", path, interval=200)
    with Image.open(path) as film:
        assert film.n_frames == 6
        assert film.info["duration"] == 200
    film = animation._func.__self__
    p = np.concatenate([*classifier.staged_predict_proba(["katze"])])
    for frame in (0, 3, 5):
        film.draw(frame)
        seen = ~np.ma.getmaskarray(film._image.get_array()).any(axis=0)
        assert seen.tolist() == [True] * frame + [False] * (5 - frame)
        widths = [bar.get_width() for bar in film._bars]
        np.testing.assert_allclose(widths, p[frame - 1] if frame else np.zeros(3))
        assert film._title.get_text() == ("katze"[:frame] or " ")


def test_a_film_as_a_page(model, tmp_path):
    """Of an estimator that predicts no classes, whose states are shown alone."""
    path = tmp_path / "katze.html"
    animation = animate_hidden_states(model, "katze", path)
    assert path.read_text("utf-8").count("<img") == 1
    assert animation._func.__self__._bars is None
    with pytest.raises(ValueError, match=r"a file that ends in .gif or .html was"):
        animate_hidden_states(model, "katze", "katze.mov")


def test_a_film_of_a_series_behind_filters(series):
    classifier = RNNClassifier(**SMALL, patch_length=3).fit(series, [0, 1, 0, 1])
    animation = animate_hidden_states(classifier, series[2])
    film = animation._func.__self__
    film.draw(len(film._tokens))
    widths = [bar.get_width() for bar in film._bars]
    np.testing.assert_allclose(widths, classifier.predict_proba(series[2:3])[0])
    animation.to_jshtml()


# Errors

DISPLAYS = [HiddenStateDisplay, TrajectoryDisplay, EmbeddingDisplay]
DISPLAYS += [RecurrenceDisplay, LossCurveDisplay, AttentionDisplay]
DISPLAYS += [StagedPredictionDisplay]


def call(display, estimator):
    """Draw a display of an estimator, whatever else it needs."""
    arguments = {HiddenStateDisplay: ["cat"], TrajectoryDisplay: [WORDS]}
    arguments[AttentionDisplay] = arguments[StagedPredictionDisplay] = ["cat"]
    return display.from_estimator(estimator, *arguments.get(display, []))


@pytest.mark.parametrize("display", DISPLAYS)
def test_estimators_must_be_fitted(display):
    cls = RNNSeq2Seq if display is AttentionDisplay else RNNClassifier
    with pytest.raises(NotFittedError):
        call(display, cls())


@pytest.mark.parametrize("display", DISPLAYS)
def test_other_estimators_are_refused(display, classifier):
    pipeline = make_pipeline(FunctionTransformer(), classifier)
    cure = "For a pipeline, pass its skrnn step; for a search, its best_estimator_; for"
    with pytest.raises(TypeError, match=f"estimator is a Pipeline, but.*{cure}"):
        call(display, pipeline)


@pytest.mark.parametrize(
    "show",
    [HiddenStateDisplay.from_estimator, StagedPredictionDisplay.from_estimator],
)
def test_a_list_is_not_one_string(classifier, show):
    with pytest.raises(TypeError, match="x is a list: one sequence was expected"):
        show(classifier, ["katze"])


def test_an_ensemble_has_no_loss_curve():
    message = re.escape(
        "estimator is an RNNEnsemble, but LossCurveDisplay needs a fitted network of "
        "skrnn. For a pipeline, pass its skrnn step; for a search, its "
        "best_estimator_; for an RNNEnsemble, one of its estimators_."
    )
    with pytest.raises(TypeError, match=f"^{message}$"):
        LossCurveDisplay.from_estimator(RNNEnsemble(RNNClassifier()))


@pytest.mark.parametrize("n_units", [0, -1, 1.5])
def test_numbers_of_units_are_checked(classifier, n_units):
    for show in (HiddenStateDisplay.from_estimator, animate_hidden_states):
        with pytest.raises(ValueError, match=r"The 'n_units' parameter of .* must be"):
            show(classifier, "katze", n_units=n_units)


def test_time_goes_on_in_a_film(classifier):
    message = "The 'interval' parameter of animate_hidden_states must be"
    with pytest.raises(ValueError, match=message):
        animate_hidden_states(classifier, "katze", interval=0)


def test_a_decoder_has_no_states_of_what_it_reads(classifier):
    decoder = RNNDecoder(**SMALL).fit(np.eye(4), WORDS)
    message = re.escape(
        "estimator is an RNNDecoder, but hidden_states needs a fitted RNNEncoder, "
        "RNNClassifier, RNNRegressor, RNNTagger, RNNLanguageModel or RNNSeq2Seq. For a "
        "pipeline, pass its skrnn step; for a search, its best_estimator_; for an "
        "RNNEnsemble, one of its estimators_."
    )
    with pytest.raises(TypeError, match=message):
        hidden_states(decoder, WORDS)
    assert len(LossCurveDisplay.from_estimator(decoder).losses) == 3
    with pytest.raises(TypeError, match="needs a fitted RNNSeq2Seq"):
        AttentionDisplay.from_estimator(classifier, "cat")


def test_what_cannot_be_shown_is_named(classifier, model, series):
    with pytest.raises(TypeError, match="X holds sequences of numbers"):
        hidden_states(classifier, series)
    with pytest.raises(ValueError, match="tokens has 'y', which is not in vocab"):
        EmbeddingDisplay.from_estimator(classifier, tokens=["c", "y"])
    with pytest.raises(ValueError, match="1 token of 15 numbers cannot be drawn"):
        EmbeddingDisplay.from_estimator(classifier, tokens=["c"])
    with pytest.raises(ValueError, match="y has length 2, but X has 4 sequences"):
        TrajectoryDisplay.from_estimator(classifier, WORDS, [0, 1])
    with pytest.raises(ValueError, match="labels has length 1, but X has 4"):
        TrajectoryDisplay.from_estimator(classifier, WORDS, labels=["a"])
    with pytest.raises(ValueError, match=r"has 1 layer\. Use layer=0\.$"):
        RecurrenceDisplay.from_estimator(classifier, layer=1)
    with pytest.raises(ValueError, match=r"ax has the shape \(\), but \(2, 3\) was"):
        RecurrenceDisplay.from_estimator(classifier, ax=plt.gca())
    with pytest.raises(ValueError, match="y has 'c', which is not in output_"):
        AttentionDisplay.from_estimator(model, "cat", "cat")
    regressor = RNNRegressor(**SMALL).fit(series, [0.0, 1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="fitted on series of numbers, which have no"):
        EmbeddingDisplay.from_estimator(regressor)
    one_unit = RNNClassifier(1, max_iter=1).fit(WORDS, LANGUAGES)
    with pytest.raises(ValueError, match="states of 1 numbers cannot be drawn"):
        TrajectoryDisplay.from_estimator(one_unit, WORDS)


# Without matplotlib


@pytest.mark.parametrize("display", DISPLAYS)
def test_without_matplotlib_an_error_says_what_to_install(display, monkeypatch):
    import_module = builtins.__import__

    def refuse(name, *args):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return import_module(name, *args)

    monkeypatch.setattr(builtins, "__import__", refuse)
    message = f"{display.__name__} draws with matplotlib, which is not installed. "
    message += "Install it with `pip install matplotlib`."
    with pytest.raises(ImportError, match=re.escape(message)):
        call(display, None)


def test_matplotlib_is_not_imported_for_numbers():
    script = """
import sys
from skrnn import RNNClassifier
from skrnn.inspection import HiddenStateDisplay, hidden_states
classifier = RNNClassifier(4, max_iter=1).fit(["cat", "act"], [0, 1])
(H,) = hidden_states(classifier, ["cat"])
HiddenStateDisplay(H, tokens=[*"cat"])
assert not [name for name in sys.modules if name.startswith("matplotlib")]
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_all_public_names_are_listed():
    assert inspection.__all__ == sorted(inspection.__all__)
    for name in inspection.__all__:
        assert getattr(inspection, name).__doc__
