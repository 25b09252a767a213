"""scikit-learn's own checks of an estimator."""

from unittest import SkipTest

import pytest
from sklearn.utils.estimator_checks import (
    estimator_checks_generator,
    parametrize_with_checks,
)

from skrnn import RNNClassifier, RNNEncoder, RNNLanguageModel, RNNRegressor

ESTIMATORS = [
    RNNClassifier(random_state=0),
    RNNEncoder(random_state=0),
    RNNRegressor(random_state=0),
    RNNLanguageModel(16, random_state=0),
]


def expected_failures(estimator):
    return {
        "check_sample_weight_equivalence_on_dense_data": (
            "A sequence of weight 2 is in one minibatch, and one that is there twice "
            "in two: the same in expectation, not to the last digit."
        )
    }


@parametrize_with_checks(
    ESTIMATORS, expected_failed_checks=expected_failures, xfail_strict=True
)
def test_scikit_learn_check(estimator, check):
    try:
        check(estimator)
    except SkipTest as skip:
        pytest.fail(f"The check skipped itself and proved nothing: {skip}")


@pytest.mark.parametrize(
    "estimator, n_checks", list(zip(ESTIMATORS, [67, 54, 60, 54], strict=True))
)
def test_scikit_learn_has_this_many_checks(estimator, n_checks):
    # With other tags most checks would be left out, and nothing would say so.
    assert len(list(estimator_checks_generator(estimator))) >= n_checks
