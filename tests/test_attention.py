"""Attention, beside torch's operations and autograd, and what it must not depend on."""

import numpy as np
import pytest
import torch

from skrnn._core import attention

WIDTH = 5
N_QUERIES, N_STATES = [3, 1, 0, 4], [2, 4, 3, 1]
OFFSETS = np.concatenate([[0], np.cumsum(N_QUERIES)])
LENGTHS = np.array(N_STATES)
# Not in the order of the queries, with rows between them that nothing reads.
STARTS = np.array([6, 0, 12, 9])
of_each_type = pytest.mark.parametrize("dtype", ["f8", "f4"])
of_each_kind = pytest.mark.parametrize("kind", ["dot", "additive"])


class Case:
    """Random queries and states, and what becomes of them."""

    def __init__(self, dtype, kind="dot", seed=0):
        rng = np.random.default_rng(seed)
        self.Q = 2 * rng.normal(size=(OFFSETS[-1], WIDTH)).astype(dtype)
        self.H = rng.normal(size=(15, WIDTH)).astype(dtype)
        self.K, self.v = self.H, np.empty(0, dtype)
        if kind == "additive":
            self.K = rng.normal(size=self.H.shape).astype(dtype)
            self.v = rng.normal(size=WIDTH).astype(dtype)
        self.K_T = np.full(self.K.size if kind == "dot" else 0, np.nan, dtype)
        if kind == "dot":
            attention.transpose_keys(self.K, STARTS, LENGTHS, self.K_T)
        self.dC = rng.normal(size=self.Q.shape).astype(dtype)
        self.spans, n_weights = attention.spans_of(OFFSETS, STARTS, LENGTHS)
        self.A = np.full(n_weights, np.nan, dtype)

    def forward(self):
        C = np.full_like(self.Q, np.nan)
        attention.forward(self.Q, *self.read, self.spans, self.A, C)
        return C

    @property
    def read(self):
        return self.K, self.K_T, self.H, self.v

    def backward(self, start=0.0):
        """The gradients with respect to Q, K, H and v, added to `start`."""
        dQ, dH, dv = (np.full_like(x, start) for x in (self.Q, self.H, self.v))
        dK = dH if self.K is self.H else np.full_like(self.K, start)
        gradients, A = (dQ, dK, dH, dv), self.A.copy()
        given = self.Q, self.K, self.H, self.v
        attention.backward(given, self.spans, A, self.dC, gradients)
        return gradients

    def by_torch(self):
        Q = torch.tensor(self.Q, requires_grad=True)
        H = torch.tensor(self.H, requires_grad=True)
        K, v = H, torch.tensor(self.v, requires_grad=True)
        if len(v):
            K = torch.tensor(self.K, requires_grad=True)
        parts, weights = [], []
        for n, start in enumerate(STARTS):
            h = H[start : start + LENGTHS[n]]
            k = K[start : start + LENGTHS[n]]
            q = Q[OFFSETS[n] : OFFSETS[n + 1]]
            scores = q @ k.T / WIDTH**0.5
            if len(v):
                scores = torch.tanh(q[:, None] + k) @ v
            weights.append(torch.softmax(scores, dim=1))
            parts.append(weights[-1] @ h)
        C = torch.cat(parts)
        (C * torch.tensor(self.dC)).sum().backward()
        A = torch.cat([part.flatten() for part in weights])
        results = A, C, Q.grad, K.grad, H.grad, *([v.grad] if len(v) else [v])
        return [each.detach().numpy() for each in results]


@of_each_kind
@of_each_type
def test_attention_equals_torch(dtype, kind):
    case = Case(dtype, kind)
    A, *others = case.by_torch()
    C = case.forward()
    rtol = 1e-12 if dtype == "f8" else 1e-5
    np.testing.assert_allclose(case.A, A, rtol=rtol, atol=rtol)
    for ours, theirs in zip([C, *case.backward()], others, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)


@of_each_type
def test_weights_are_of_real_steps_and_sum_to_1(dtype):
    case = Case(dtype)
    case.forward()
    places = case.spans[-1]
    for n, place in enumerate(places):
        size = N_QUERIES[n] * N_STATES[n]
        a = case.A[place : place + size].reshape(N_QUERIES[n], N_STATES[n])
        assert (a > 0).all()
        np.testing.assert_allclose(a.sum(axis=1), 1, rtol=1e-6)
    assert places[-1] + N_QUERIES[-1] * N_STATES[-1] == len(case.A)


@of_each_kind
def test_gradients_are_added(kind):
    case = Case("f8", kind)
    case.forward()
    gradients, again = case.backward(), case.backward(start=1.0)
    for one, other in zip(gradients, again, strict=True):
        np.testing.assert_allclose(other, one + 1)
    unread = np.setdiff1d(np.arange(15), [*range(4), *range(6, 8), 9])
    assert (gradients[2][unread] == 0).all()


@of_each_kind
@of_each_type
def test_a_sequence_and_a_query_do_not_depend_on_others(dtype, kind):
    case = Case(dtype, kind)
    C = case.forward()
    for n in range(len(LENGTHS)):
        for i in range(OFFSETS[n], OFFSETS[n + 1]):
            alone = np.empty((1, WIDTH), dtype)
            of = np.array([0, 1]), STARTS[n : n + 1], LENGTHS[n : n + 1]
            spans, n_weights = attention.spans_of(*of)
            A = np.empty(n_weights, dtype)
            attention.forward(case.Q[i : i + 1], *case.read, spans, A, alone)
            assert (alone[0] == C[i]).all()


def test_large_scores_do_not_overflow():
    case = Case("f4")
    case.Q *= 1e6
    C = case.forward()
    assert np.isfinite(C).all()
    assert all(np.isfinite(part).all() for part in case.backward())
