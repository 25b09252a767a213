"""RNNEnsemble: several networks that predict together."""

from dataclasses import KW_ONLY

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skrnn._classifier import RNNClassifier
from skrnn._decoder import RNNDecoder
from skrnn._messages import describe
from skrnn._regressor import RNNRegressor
from skrnn._seq2seq import RNNSeq2Seq
from skrnn._stream import random_state_of
from skrnn._tagger import RNNTagger
from skrnn._types import Count, Estimator, Jobs, RandomState, takes_parameters
from skrnn._warnings import said_once

_KINDS = RNNClassifier, RNNRegressor, RNNTagger, RNNSeq2Seq, RNNDecoder
# Parameters that only predictions read, so that they may be set after a fit.
_OF_PREDICTIONS = "beam_width", "length_penalty", "max_output_length"


def _if_members_have(name):
    """Make a method available if the members of the ensemble have it."""

    def have(ensemble):
        getattr(ensemble._member, name)  # raises AttributeError if not
        return True

    return available_if(have)


@takes_parameters
class RNNEnsemble(MetaEstimatorMixin, BaseEstimator):
    r"""Average the predictions of networks that start from different weights.

    Copies of one estimator learn from the same data. They differ by their
    `random_state`: by their first weights, by the order of the sequences, and by what
    is held out for early stopping. Where one is wrong, the others often are not, or are
    wrong in other ways, so the mean of their probabilities is usually better than the
    probabilities of any single one [1]_ [2]_,

        p(y) = (p_1(y) + ... + p_n(y)) / n.

    For classifiers, y is the label of a sequence; for taggers, of a step. For
    :class:`RNNSeq2Seq` and :class:`RNNDecoder`, it is the next token, given those
    before it: at each step of one search, be it greedy or by a beam, the members'
    probabilities of the next token are averaged. With ``decoder="ctc"``, those of each
    frame are. For regressors, the mean is that of the predicted numbers.

    If :class:`RNNDecoder` writes series of numbers, y is the next step, given those
    before it, and p is its density, or the probability that the series ends instead:
    both are averaged. `predict` writes the mean of that mixture at each step, which all
    members then read, and ends where the mean probability of the end exceeds 1/2, or
    where all series of `fit` did.

    Parameters
    ----------
    estimator : RNNClassifier, RNNRegressor, RNNTagger, RNNSeq2Seq or RNNDecoder
        The estimator to copy. It is not fitted, and its own `random_state` is not used.
    n_estimators : int, default=5
        Number of copies, the members of the ensemble.
    n_jobs : int or None, default=None
        Number of members to fit at the same time, each in a process of its own, as
        joblib reads it. None is 1, unless in a :func:`joblib.parallel_config` context.
        A fit uses several threads anyway.
    random_state : int, RandomState instance or None, default=None
        Seeds of the members are drawn from it. Pass an int for reproducible results.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted members.
    classes_ : ndarray of shape (n_classes,)
        The labels, if members predict labels.
    n_features_in_ : int
        Number of features of X. Only available if members have it.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features. Only available if members have them.

    See Also
    --------
    sklearn.ensemble.VotingClassifier : Averages estimators of several kinds.

    Notes
    -----
    A fit takes `n_estimators` times as long as that of one member, as do predictions,
    for which X is read once. Of warnings of members that differ by nothing but numbers,
    only the first is issued, unless they are fitted in several processes. An ensemble
    of one predicts what its member does, to the bit.

    What an ensemble has no method for, such as `sample`, `partial_fit`,
    `staged_predict`, `start` or `attention_weights`, is for single networks: call it on
    one of `estimators_`, and pass one of these to functions of :mod:`skrnn.inspection`
    and :mod:`skrnn.export`. `n_jobs` is for fits; in predictions, one member
    computes after the other.

    Members with a `checkpoint` need an int as the `random_state` of the ensemble: with
    None, they would have other seeds each time, and no fit would find its file again.

    `beam_width`, `length_penalty` and `max_output_length` may be set after a fit, by
    ``set_params(estimator__beam_width=4)``.

    Members of a tagger with `transitions` average the probabilities of tags at each
    step, their marginals, and the likeliest tag of each step is predicted; transitions
    that members forbid may occur in such a sequence of tags.

    If members are :class:`RNNDecoder` with `early_stopping`, some may not have seen all
    tokens. One that a member does not know has a probability of 0 for that member.

    References
    ----------
    .. [1] Hansen and Salamon (1990), "Neural Network Ensembles", IEEE Transactions on
       Pattern Analysis and Machine Intelligence 12(10).
    .. [2] Lakshminarayanan, Pritzel and Blundell (2017), "Simple and Scalable
       Predictive Uncertainty Estimation Using Deep Ensembles", NeurIPS.

    Examples
    --------
    >>> from skrnn import RNNClassifier, RNNEnsemble
    >>> X, y = ["cat", "chat", "katze", "cats", "chats"] * 3, [0, 1, 2, 0, 1] * 3
    >>> model = RNNEnsemble(RNNClassifier(nhidden=8), n_estimators=3, random_state=0)
    >>> model.fit(X, y).predict(["chat", "katze"])
    array([1, 2])
    >>> len(model.estimators_)
    3
    """

    estimator: Estimator
    n_estimators: Count = 5
    _: KW_ONLY
    n_jobs: Jobs | None = None
    random_state: RandomState = None

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None, **fit_params):
        """Fit all members.

        Parameters
        ----------
        X : array-like
            Sequences, or what else the members read.
        y : array-like
            What to predict.
        sample_weight : array-like, default=None
            Weights, as the members take them.
        **fit_params : dict
            Passed to the `fit` of each member, as `X_val` and `y_val`.

        Returns
        -------
        self : RNNEnsemble
            The fitted ensemble.

        Raises
        ------
        TypeError
            If `estimator` is none of those above.
        ValueError
            As the `fit` of the members; or if these have a `checkpoint`, but
            `random_state` is None.

        Notes
        -----
        If the fit of a member fails, the ensemble is left unchanged.
        """
        _check_kind(self.estimator)
        if self.random_state is None and self.estimator.checkpoint is not None:
            raise ValueError(
                "random_state=None draws other seeds for the members in each fit, none "
                "of which would find its checkpoint again. Pass an int as the "
                "random_state of RNNEnsemble, or estimator__checkpoint=None."
            )
        random_state = random_state_of(self.random_state)
        seeds = random_state.randint(np.iinfo(np.int32).max, size=self.n_estimators)
        fit_params = {"sample_weight": sample_weight, **fit_params}
        with said_once():
            self.estimators_ = Parallel(n_jobs=self.n_jobs)(
                delayed(_fitted)(self.estimator, int(seed), X, y, fit_params)
                for seed in seeds
            )
        return self

    @property
    def classes_(self):
        """The labels, those of the members."""
        return self._fitted_member.classes_

    @property
    def n_features_in_(self):
        """Number of features of X, that of the members."""
        return self._fitted_member.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the features, those of the members."""
        return self._fitted_member.feature_names_in_

    def predict(self, X):
        """Predict together.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        y : ndarray or list
            What a member predicts: the labels with the highest mean probabilities; mean
            numbers; the likeliest sequences that were found; or series of means.

        Raises
        ------
        NotFittedError
            If `fit` has not been called.
        TypeError, ValueError
            As in `predict` of a member.
        """
        return self._together().predict(X)

    @_if_members_have("predict_proba")
    def predict_proba(self, X):
        """Predict the mean probability of each label.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        probabilities : ndarray, or list of ndarrays
            For classifiers, of shape (n_samples, n_classes); for taggers, of shape
            (n_steps, n_classes) for each sequence; float64. Columns are in the order of
            `classes_`.
        """
        return self._together().predict_proba(X)

    @_if_members_have("predict_log_proba")
    def predict_log_proba(self, X):
        """Predict the logarithm of the mean probability of each class.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), float64
            Columns are in the order of `classes_`. Natural logarithms.
        """
        return self._together().predict_log_proba(X)

    @_if_members_have("decision_function")
    def decision_function(self, X):
        """Compute scores of which the softmax is the mean probability of each class.

        Parameters
        ----------
        X : array-like
            As in `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes) or (n_samples,)
            The logarithms of mean probabilities. For two classes, or if sequences have
            several labels, log odds.
        """
        return self._together().decision_function(X)

    @_if_members_have("predict_n_best")
    def predict_n_best(self, X, n_best=5):
        """Predict several sequences for each sample, the likeliest first.

        Parameters
        ----------
        X : array-like
            As in `fit`.
        n_best : int, default=5
            How many to predict.

        Returns
        -------
        y : list of list of tuple (sequence, log_p)
            As from a member, with the logarithms of probabilities of the ensemble. For
            taggers, the probability of a sequence of tags is the product of the mean
            probabilities of its tags. With `transitions`, those are mean marginals, so
            sequences that all members forbid have a probability as well.

        Raises
        ------
        ValueError
            As in `predict_n_best` of a member.
        """
        return self._together().predict_n_best(X, n_best)

    @_if_members_have("score_samples")
    def score_samples(self, X, y):
        """Compute the logarithm of the probability, or density, of given sequences.

        Parameters
        ----------
        X : array-like
            As in `fit`.
        y : array-like
            A sequence for each sample.

        Returns
        -------
        log_p : ndarray of shape (n_samples,), float64
            In nats: the sum, over the steps of a sequence and its end, of the
            logarithms of mean probabilities, or of mean densities.
        """
        return self._together().score_samples(X, y)

    def score(self, X, y, sample_weight=None):
        """Compute the score of a member for predictions of the ensemble.

        Parameters
        ----------
        X : array-like
            As in `fit`.
        y : array-like
            What is true.
        sample_weight : array-like, default=None
            Weights in the score. None gives all the same weight.

        Returns
        -------
        score : float
            Accuracy; for regressors, the coefficient of determination R^2; for those
            that write sequences, the share of sequences without a mistake, or the mean
            logarithm of the density of a step if they are series.
        """
        return self._together().score(X, y, sample_weight)

    @property
    def _fitted_member(self):
        return self.estimators_[0]

    @property
    def _member(self):
        """A member, or what is to become one."""
        return getattr(self, "estimators_", [self.estimator])[0]

    def _together(self):
        """The first member, as one that predicts together with the others."""
        check_is_fitted(self)
        first, *others = self.estimators_
        together = first._together_with(others)
        if type(self.estimator) is type(first):
            for name in _OF_PREDICTIONS:
                if hasattr(first, name):
                    setattr(together, name, getattr(self.estimator, name))
        return together

    def __sklearn_tags__(self):
        return get_tags(self.estimator)


def _fitted(estimator, seed, X, y, fit_params):
    return clone(estimator).set_params(random_state=seed).fit(X, y, **fit_params)


def _check_kind(estimator):
    """Raise if an ensemble cannot average the predictions of an estimator."""
    if not isinstance(estimator, _KINDS):
        if isinstance(estimator, type):
            name = estimator.__name__
            raise TypeError(
                f"estimator is the class {name}, but an instance was expected. Use "
                f"{name}()."
            )
        names = [kind.__name__ for kind in _KINDS]
        raise TypeError(
            f"estimator is {describe(estimator)}, but RNNEnsemble averages the "
            f"predictions of {', '.join(names[:-1])} or {names[-1]}. Pass one of them; "
            "for other estimators, use VotingClassifier or VotingRegressor of "
            "scikit-learn."
        )
