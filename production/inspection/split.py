"""What is kept from training, so that a test never meets what was learned.

Three things are held out, each by a rule that needs no list to be kept: kinds of weaves and families of patterns by
their name, and numbers (sizes, contrasts, thread counts) by which tenth of their range they fall into.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np
from numpy.random import Generator

Split = Literal["train", "test"]

TENTHS = 10
TEST_TENTHS = (1, 4, 7)
TRAIN_TENTHS = tuple(tenth for tenth in range(TENTHS) if tenth not in TEST_TENTHS)
_TEST_SHARE_OF_NAMES = 0.25


def split_of_name(name: str) -> Split:
    """Where a family of patterns belongs; the same on every machine, whatever other families there are."""
    return "test" if hashlib.sha256(name.encode()).digest()[0] < 256 * _TEST_SHARE_OF_NAMES else "train"


def split_of_number(value: float, low: float, high: float) -> Split:
    """In whose tenths of the range from `low` to `high`, counted in ratios, a number lies."""
    share = np.log(value / low) / np.log(high / low)
    return "test" if min(int(share * TENTHS), TENTHS - 1) in TEST_TENTHS else "train"


def drawn(rng: Generator, low: float, high: float, split: Split) -> float:
    """A number from `low` to `high` (both over 0), every ratio as likely as any other, out of the split's tenths."""
    tenths = TEST_TENTHS if split == "test" else TRAIN_TENTHS
    share = (tenths[int(rng.integers(len(tenths)))] + rng.uniform(0.02, 0.98)) / TENTHS
    return float(low * (high / low) ** share)


def stream(seed: int, split: Split, *more: int) -> Generator:
    """The source of chance of one scene: the streams of the two splits have nothing in common."""
    return np.random.default_rng([seed, 0 if split == "train" else 1, *more])
