"""Scores of answers about planned lanes against the truth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np


class Said(Enum):
    SERVED = "served"
    NOT = "not"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, served: bool) -> Said:
        return cls.SERVED if served else cls.NOT


@dataclass(frozen=True, slots=True)
class Answer:
    """Truth and what a method said about one planned lane of one day."""

    ward: str
    served: bool
    driven_through: bool
    said: Said


@dataclass(frozen=True, slots=True)
class Table:
    """Counts of a 2 by 2 table."""

    true_pos: int
    false_pos: int
    false_neg: int
    true_neg: int

    @property
    def f1(self) -> float:
        """
        >>> Table(90, 10, 10, 40).f1
        0.9
        """
        total = 2 * self.true_pos + self.false_pos + self.false_neg
        return 2 * self.true_pos / total if total else 0.0

    @property
    def mcc(self) -> float:
        """Matthews' correlation: 1 for truth, 0 for chance, whatever the share of served lanes.

        >>> Table(25, 25, 25, 25).mcc
        0.0
        """
        tp, fp, fn, tn = self.true_pos, self.false_pos, self.false_neg, self.true_neg
        size = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        return (tp * tn - fp * fn) / size if size else 0.0


def decided(answers: Iterable[Answer]) -> Table:
    """Without the lanes that were called unknown."""
    return table((a.served, a.said is Said.SERVED) for a in answers if a.said is not Said.UNKNOWN)


def unknown_wrong(answers: Iterable[Answer]) -> Table:
    """Every unknown counts as the wrong answer."""
    return table(
        (a.served, not a.served if a.said is Said.UNKNOWN else a.said is Said.SERVED)
        for a in answers
    )


def worst_ward(answers: Sequence[Answer]) -> float:
    """The lowest F1 of a ward's decided lanes."""
    wards = sorted({a.ward for a in answers})
    return min(decided([a for a in answers if a.ward == ward]).f1 for ward in wards)


def unknown_share(answers: Sequence[Answer]) -> float:
    return sum(a.said is Said.UNKNOWN for a in answers) / len(answers)


def through_called_served(answers: Iterable[Answer]) -> int:
    return sum(a.driven_through and a.said is Said.SERVED for a in answers)


def shuffled[Key](truth: Mapping[Key, bool], rng: np.random.Generator) -> dict[Key, bool]:
    """The same truths on other lanes."""
    order = rng.permutation(len(truth))
    values = list(truth.values())
    return {key: values[at] for key, at in zip(truth, order, strict=True)}


def table(pairs: Iterable[tuple[bool, bool]]) -> Table:
    """Of pairs (truth, said)."""
    pairs = list(pairs)
    return Table(
        sum(truth and said for truth, said in pairs),
        sum(said and not truth for truth, said in pairs),
        sum(truth and not said for truth, said in pairs),
        sum(not truth and not said for truth, said in pairs),
    )
