"""When a fit stops, what it does to weights and losses, and truncation."""

import math
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skrnn import RNNClassifier, RNNEncoder
from skrnn._core import trainer, vocabulary
from skrnn._parameters import Settings


def test_fit_stops_when_the_loss_stays_below_tol():
    X, y = ["a", "b"] * 20, [0, 1] * 20
    stopped = RNNClassifier(
        max_iter=300, tol=0.1, n_iter_no_change=3, random_state=0
    ).fit(X, y)
    below = np.array(stopped.loss_curve_) < 0.1
    assert 3 < stopped.n_iter_ < 300
    assert below[-3:].all()
    # and not before
    assert not (below[:-3] & below[1:-2] & below[2:-1]).any()


def test_fit_runs_max_iter_epochs_when_it_does_not_converge():
    X, y = ["a", "a", "b"] * 4, [0, 1, 1] * 4
    classifier = RNNClassifier(max_iter=7, random_state=0).fit(X, y)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 7
    assert classifier.loss_ == classifier.loss_curve_[-1]
    assert classifier.best_loss_ == min(classifier.loss_curve_)


def test_divergence_keeps_the_last_good_weights_and_warns():
    X, y = ["ab" * 50, "ba" * 50] * 20, [0, 1] * 20
    classifier = RNNClassifier(
        8, cell="rnn", activation="relu", learning_rate_init=1, alpha=0, max_iter=30
    )
    with pytest.warns(ConvergenceWarning) as caught:
        classifier.set_params(random_state=0).fit(X, y)
    assert str(caught[0].message) == (
        f"Training diverged in epoch {classifier.n_iter_}: the loss or a weight was "
        "not finite. RNNClassifier keeps the weights from before that epoch. Lower "
        "learning_rate_init (now 1) or max_grad_norm, or use activation='tanh'."
    )
    assert caught[0].filename == __file__
    assert 1 < classifier.n_iter_ < 100
    assert np.isfinite(classifier.W_[0]).all() and np.isfinite(classifier.V_).all()


def test_divergence_in_the_first_epoch_raises():
    X, y = ["ab" * 2000, "ba" * 2000] * 20, [0, 1] * 20
    classifier = RNNClassifier(
        8, cell="rnn", activation="relu", learning_rate_init=1, alpha=0, batch_size=1
    )
    sentence = (
        "Training diverged in epoch 1: the loss or a weight was not finite. Lower "
        "learning_rate_init (now 1) or max_grad_norm, or use activation='tanh'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        classifier.set_params(random_state=0).fit(X, y)
    with pytest.raises(NotFittedError):
        classifier.predict(X)


def test_training_that_only_did_harm_warns():
    X, y = ["ab", "ba", "aab"] * 20, [0, 1, 2, 1, 2, 0] * 10
    classifier = RNNClassifier(learning_rate_init=1, alpha=0, max_iter=2)
    sentence = (
        r"^The training loss of the last epoch is \d+\.?\d*, but that of a network "
        r"that ignores X is 1\.1\. Lower learning_rate_init \(now 1\) or "
        r"max_grad_norm, or use activation='tanh'\.$"
    )
    with pytest.warns(ConvergenceWarning, match=sentence):
        classifier.set_params(random_state=0).fit(X, y)


def test_loss_is_the_weighted_mean_cross_entropy(rng):
    # A learning rate that changes nothing: the loss is that of the predictions.
    X = [rng.normal(size=n) for n in (3, 1, 4, 1, 5, 9)]
    y = np.array([0, 1, 2, 0, 1, 2])
    weight = rng.random(6)
    classifier = RNNClassifier(
        max_iter=1,
        batch_size=4,
        dropout=0.0,
        learning_rate_init=1e-12,
        random_state=0,
    ).fit(X, y, weight)
    chosen = classifier.predict_log_proba(X)[np.arange(6), y]
    expected = np.average(-chosen, weights=weight)
    assert classifier.loss_ == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "n_samples, batch_size, n_epochs",
    [(3, 3, 400), (64, 8, 50), (270, 16, 24), (13_374, 115, 12), (10**6, 128, 12)],
)
def test_auto_batch_size_and_epochs(n_samples, batch_size, n_epochs):
    settings = Settings.of("RNNClassifier", RNNClassifier().get_params())
    plan = settings.plan(n_samples)
    assert min(plan.batch_size, n_samples) == batch_size
    assert plan.n_epochs == n_epochs


def test_fits_take_longer_where_there_is_more_to_learn(rng, capsys):
    X = ["".join(rng.choice(list("abcd"), 8)) for _ in range(600)]
    letters, hard = [x[0] for x in X], [x[2] < x[5] for x in X]
    shortest = 600 // 24
    n_epochs = math.ceil(400 / shortest)
    classifier = RNNClassifier(8, random_state=0, verbose=2)
    assert classifier.fit(letters, letters).n_iter_ == n_epochs
    capsys.readouterr()
    n_longer = classifier.fit(X, hard).n_iter_
    assert n_epochs < n_longer <= 3 * n_epochs
    lines = capsys.readouterr().out.splitlines()
    shown = [line.split(",")[0].split("/") for line in lines]
    assert [begin for begin, _ in shown] == [f"Epoch {i + 1}" for i in range(n_longer)]
    assert int(shown[0][1]) == n_epochs and int(shown[-1][1]) == n_longer
    # An int is kept to, and without y nothing says how low the loss can get.
    assert classifier.set_params(max_iter=n_epochs).fit(X, hard).n_iter_ == n_epochs
    assert RNNEncoder(8, random_state=0).fit(X).n_iter_ == n_epochs


def test_verbose_prints_a_line_an_epoch(capsys):
    RNNClassifier(max_iter=3, verbose=2, random_state=0).fit(["ab", "cd"], [0, 1])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("Epoch 1/3, loss ")
    assert lines[0].endswith(" s left")
    assert math.isfinite(float(lines[2].split("loss ")[1].split(",")[0]))


def test_truncation_longer_than_all_sequences_changes_nothing():
    X, y = ["ab", "ba", "aabb", "b"] * 5, [0, 1, 0, 1] * 5
    whole, truncated = (
        RNNClassifier(8, truncate=truncate, max_iter=5, random_state=0).fit(X, y)
        for truncate in (None, 4)
    )
    np.testing.assert_array_equal(whole.W_[0], truncated.W_[0])


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat", "sum"])
@pytest.mark.parametrize("is_token", [True, False])
def test_truncation_starts_from_the_state_that_it_does_not_look_behind(
    cell, pooling, is_token, rng
):
    # A learning rate that changes nothing: the loss is that of the whole sequences.
    lengths = rng.integers(1, 30, size=20)
    if is_token:
        X = [rng.integers(0, 4, n).tolist() for n in lengths]
    else:
        X = [rng.normal(size=(n, 2)) for n in lengths]
    y = [0, 1] * 10
    whole, truncated = (
        RNNClassifier(
            (5, 4),
            cell=cell,
            pooling=pooling,
            truncate=truncate,
            kernel_sizes=None,
            max_iter=1,
            learning_rate_init=1e-12,
            random_state=0,
        )
        for truncate in (None, 3)
    )
    # Tokens that are hidden at random would be others in the two fits.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            vocabulary, "hiding_probabilities", lambda counts, *_: np.zeros(len(counts))
        )
        whole.fit(X, y)
        truncated.fit(X, y)
    assert truncated.loss_ == pytest.approx(whole.loss_, rel=1e-5)


def test_truncation_learns_what_is_near_the_end_of_long_sequences(rng):
    X = [rng.normal(size=200) for _ in range(200)]
    y = [int(x[-1] + x[-3] > 0) for x in X]
    classifier = RNNClassifier(16, truncate=5, random_state=0).fit(X, y)
    assert classifier.score(X, y) > 0.9


def test_memory_of_long_sequences_is_bounded_by_truncation():
    # 400,000 steps of 64 hidden units are 100 MB, three times over without truncation.
    script = """
import resource, numpy as np
from skrnn import RNNClassifier, RNNEncoder
rng = np.random.default_rng(0)
X = [rng.normal(size=10_000) for _ in range(40)]
y = [0, 1] * 20
params = dict(truncate=100, max_iter=1, batch_size=40, random_state=0)
RNNClassifier(64, **params).fit([x[:200] for x in X], y)  # what the libraries take
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
classifier = RNNClassifier(64, **params).fit(X, y)
classifier.predict(X)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert np.isfinite(classifier.W_[0]).all()
print((after - before) / 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 80  # MB


def test_gradients_of_ten_thousand_steps_are_finite(rng):
    X = [rng.normal(size=10_000) for _ in range(2)]
    classifier = RNNClassifier(8, max_iter=2, random_state=0).fit(X, [0, 1])
    assert np.isfinite(classifier.loss_curve_).all()
    assert all(np.isfinite(W).all() for W in classifier.W_)


@pytest.mark.parametrize("nhidden", [8, (8, 8)])
def test_dropout_is_seeded_and_makes_a_difference(nhidden):
    X, y = ["ab", "ba", "aabb", "b"] * 5, [0, 1, 0, 1] * 5
    fits = [
        RNNClassifier(nhidden, dropout=p, max_iter=5, random_state=0).fit(X, y)
        for p in (0.0, 0.5, 0.5)
    ]
    np.testing.assert_array_equal(fits[1].W_[-1], fits[2].W_[-1])
    assert np.abs(fits[0].W_[-1] - fits[1].W_[-1]).max() > 1e-4


def test_a_large_vocabulary_learns_the_rows_it_sees(rng):
    # More tokens than a batch holds: only their vectors are moved.
    X = [[int(i), int(i) + 5000] for i in rng.permutation(4000)]
    y = [int(tokens[0] % 2) for tokens in X]
    classifier = RNNClassifier(
        16,
        analyzer="token",
        max_iter=20,
        batch_size=32,
        learning_rate_init=0.05,
        random_state=0,
    ).fit(X, y)
    assert len(classifier.vocabulary_) == 8000
    assert classifier.score(X, y) > 0.95


def test_a_large_vocabulary_and_truncation_together(rng):
    # What comes before the last two steps matters only through the state.
    X = [[int(i) + 9000, int(i), int(i) + 5000] for i in rng.permutation(4000)]
    y = [int(tokens[1] % 2) for tokens in X]
    params = {"max_iter": 20, "batch_size": 32, "learning_rate_init": 0.05}
    params["analyzer"] = "token"
    with pytest.MonkeyPatch.context() as patch:
        chosen = []
        original = trainer.Trainer._updates

        def choose(*arguments):
            updates = original(*arguments)
            chosen.append(type(updates).__name__)
            return updates

        patch.setattr(trainer.Trainer, "_updates", choose)
        classifier = RNNClassifier(16, truncate=2, random_state=0, **params).fit(X, y)
    assert chosen == ["SomeRows"]
    assert classifier.score(X, y) > 0.95


def test_memory_of_a_large_vocabulary_is_that_of_few_copies_of_its_vectors():
    # The weights, two moments, and either the last epoch or what the user gets; and
    # the second thread has no gradient for all tokens.
    script = """
import resource, warnings, numpy as np, torch
from skrnn import RNNClassifier, RNNEncoder
torch.set_num_threads(2)
warnings.simplefilter("ignore")
X = np.arange(50_000).reshape(-1, 10).tolist()
y = [0, 1] * (len(X) // 2)
params = dict(nhidden=128, batch_size=128, max_iter=1, random_state=0)
RNNClassifier(**params).fit(X[:500], y[:500])  # what the libraries take
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
classifier = RNNClassifier(**params).fit(X, y)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) * 1024 / classifier.U_[0].nbytes)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 5
