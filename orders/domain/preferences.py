"""What a studio likes, told from its decisions: a logistic preference over what can be measured of a design.

Ridge-penalised logistic regression, fitted by Newton's method (Hosmer & Lemeshow 2000, section 1.2; le Cessie & van
Houwelingen 1992 for the penalty). It is used only where it told held-out decisions apart better than chance would.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 30  # decisions from which a preference is looked for
FEWEST_OF_EACH = 8  # of them accepted, and of them rejected
FOLDS = 5
# It is tried anew at every decision, so chance gets many tries: it has to be passed by three standard errors.
CHANCE = 0.5
STANDARD_ERRORS = 3.0
_PENALTY = 2.0
_STEPS = 25

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Preference:
    """How much more likely a design is to be accepted for each standard deviation of each feature, in log odds."""

    names: tuple[str, ...]
    middle: Array  # (features,)
    spread: Array  # (features,)
    weights: Array  # (features + 1,), the last is the constant
    told_apart: float  # share of held-out pairs of an accepted and a rejected design that are in the right order
    decisions: int

    def likelihood(self, features: Sequence[float]) -> float:
        """How likely a design with these features is to be accepted, 0 to 1."""
        at = (np.asarray(features, np.float64) - self.middle) / self.spread
        return float(_sigmoid(at @ self.weights[:-1] + self.weights[-1]))

    @property
    def strongest(self) -> list[tuple[str, float]]:
        """The features with their weights, the ones that say most first."""
        pairs = zip(self.names, self.weights[:-1].tolist(), strict=True)
        return sorted(pairs, key=lambda pair: -abs(pair[1]))


@dataclass(frozen=True)
class NotYet:
    """Why there is no preference to go by."""

    decisions: int
    accepted: int
    told_apart: float | None = None  # None: there were too few to try
    needed: float | None = None


def learnt(
    names: Sequence[str], features: Sequence[Sequence[float]], accepted: Sequence[bool], rounds: Sequence[int]
) -> Preference | NotYet:
    """The preference behind decisions, or why none is to be gone by.

    features: one row for each decision; rounds: which round each was about. Each decision is told by a fit that has
    seen none of its round: designs of one round are alike, and to know one would be to know the other.
    """
    y = np.asarray(accepted, np.float64)
    good, bad = int(y.sum()), int(len(y) - y.sum())
    if len(y) < FEWEST or min(good, bad) < FEWEST_OF_EACH:
        return NotYet(len(y), good)
    x = np.asarray(features, np.float64)
    held_out = np.zeros(len(y))
    fold = np.unique(np.asarray(rounds), return_inverse=True)[1] % FOLDS
    for number in range(FOLDS):
        rest, here = fold != number, fold == number
        if not here.any() or not rest.any():
            continue
        middle, spread = _scale(x[rest])
        weights = _fit((x[rest] - middle) / spread, y[rest])
        held_out[here] = (x[here] - middle) / spread @ weights[:-1] + weights[-1]
    apart = told_apart(held_out, y)
    needed = CHANCE + STANDARD_ERRORS * _standard_error(good, bad)
    if apart < needed:
        return NotYet(len(y), good, apart, needed)
    middle, spread = _scale(x)
    weights = _fit((x - middle) / spread, y)
    return Preference(tuple(names), middle, spread, weights, apart, len(y))


def told_apart(scores: Array, accepted: Array) -> float:
    """The share of pairs of an accepted and a rejected design whose scores stand in the right order; ties are half.

    >>> told_apart(np.array([3.0, 2.0, 1.0]), np.array([1.0, 0.0, 1.0]))
    0.5
    """
    good, bad = scores[accepted > 0.5], scores[accepted < 0.5]
    ahead = (good[:, None] > bad[None, :]).mean() + 0.5 * (good[:, None] == bad[None, :]).mean()
    return float(ahead)


def _standard_error(good: int, bad: int) -> float:
    """Of the share of pairs in order, where order is chance (Mann & Whitney 1947: the variance of U)."""
    return float(np.sqrt((good + bad + 1) / (12 * good * bad)))


def _scale(x: Array) -> tuple[Array, Array]:
    spread = x.std(axis=0)
    return x.mean(axis=0), np.where(spread > 1e-9, spread, 1.0)


def _fit(x: Array, y: Array) -> Array:
    """(features + 1,) weights of largest penalised likelihood; the constant is not penalised."""
    design = np.column_stack([x, np.ones(len(x))])
    penalty = np.diag([_PENALTY] * x.shape[1] + [1e-6])
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        likely = _sigmoid(design @ weights)
        gradient = design.T @ (y - likely) - penalty @ weights
        curvature = (design * (likely * (1 - likely))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _sigmoid(value: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -30, 30))))
