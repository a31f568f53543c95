"""Where the colour changes from one pixel to the next: what the seam and the fine details are measured on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import IndexArray

IntArray = NDArray[np.intp]


@dataclass(frozen=True)
class Changes:
    """Every change of colour between neighbours along the lines of a picture, in reading order."""

    line: IntArray  # which line
    position: IntArray  # the change lies between this pixel of the line and the next
    pair: IntArray  # colour before * colours + colour after
    lines: int
    length_px: int  # of a line
    colours: int

    def by_position(self) -> NDArray[np.int64]:
        """(length - 1, colours**2): how often each pair of colours meets at each position, over all lines."""
        width, pairs = self.length_px - 1, self.colours**2
        counts = np.bincount(self.position * pairs + self.pair, minlength=width * pairs)
        return counts.reshape(width, pairs)

    def run_lengths(self) -> IntArray:
        """Lengths of the runs of one colour that begin and end inside their line."""
        same = self.line[1:] == self.line[:-1]
        lengths: IntArray = (self.position[1:] - self.position[:-1])[same]
        return lengths


@dataclass(frozen=True)
class Edges:
    """The changes of a picture in both directions."""

    across: Changes  # along the rows
    down: Changes  # along the columns


def edges_of(indices: IndexArray, colours: int) -> Edges:
    """The edges of a picture of (H, W) indices below `colours`."""
    return Edges(across=_changes(indices, colours), down=_changes(np.ascontiguousarray(indices.T), colours))


def pair_counts(before: IndexArray, after: IndexArray, colours: int) -> NDArray[np.int64]:
    """(colours**2,): how often each pair of colours meets where the line `before` lies beside the line `after`."""
    pair = before.astype(np.intp) * colours + after
    return np.bincount(pair[before != after], minlength=colours**2)


def _changes(lines: IndexArray, colours: int) -> Changes:
    height, width = lines.shape
    line, position = np.nonzero(lines[:, 1:] != lines[:, :-1])
    pair = lines[line, position].astype(np.intp) * colours + lines[line, position + 1]
    return Changes(line, position, pair, height, width, colours)
