"""The run: days by seed, every method on the same fixes, one table of scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.benchmarks.proof import baselines, score
from tests.benchmarks.proof.crew import SERVED_FROM, Day, Rhythm, drive, wards_of
from tests.benchmarks.proof.noise import Fixes, Noise, observe
from tests.benchmarks.proof.ours import Prover
from tests.benchmarks.proof.score import Answer, Said
from tests.benchmarks.proof.town import Town
from tracking.proof import Calibration
from tracking.proof.fit import fit


@dataclass(frozen=True)
class Options:
    noise: Noise
    period_s: int
    rhythm: Rhythm = Rhythm.HALTING
    doppler: bool = True
    wards: int = 3
    shuffle_truth: bool = False


@dataclass(frozen=True)
class Outing:
    """A vehicle's day as it was, and as its unit saw it."""

    key: str
    day: Day
    fixes: Fixes


def outings(town: Town, seed: int, options: Options) -> Iterator[Outing]:
    """The same truth for every noise and period of a seed."""
    for ward in wards_of(town, options.wards, np.random.default_rng([seed, 0])):
        day = drive(town, ward, np.random.default_rng([seed, 1, ward.number]), options.rhythm)
        rng = np.random.default_rng([seed, 2, ward.number])
        fixes = observe(
            day.t_s, day.xy, options.noise, options.period_s, rng, doppler=options.doppler
        )
        yield Outing(f"{seed}.{ward.number}", day, fixes)


@dataclass
class Report:
    options: Options
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By method."""
    driven: list[tuple[bool, bool]] = field(default_factory=list)
    """Of each planned lane: truly driven, and told so."""
    cpu_s: float = 0.0
    counts: dict[str, float] = field(default_factory=dict)

    def count(self, **added: float) -> None:
        for name, number in added.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def as_dict(self) -> dict[str, Any]:
        figures: dict[str, Any] = {
            "noise": str(self.options.noise),
            "period_s": self.options.period_s,
            "rhythm": str(self.options.rhythm),
            "doppler": self.options.doppler,
        }
        if "own" in self.answers:
            figures |= self._own()
        for name, answers in self.answers.items():
            if name != "own":
                figures[f"f1_{name}"] = score.decided(answers).f1
                called = score.through_called_served(answers)
                figures[f"driven_through_called_served_{name}"] = called
        figures |= {name: round(number) for name, number in self.counts.items()}
        return {
            key: round(value, 4) if isinstance(value, float) else value
            for key, value in figures.items()
        }

    def _own(self) -> dict[str, Any]:
        own = self.answers["own"]
        decided = score.decided(own)
        return {
            "f1": decided.f1,
            "f1_unknown_wrong": score.unknown_wrong(own).f1,
            "f1_worst_ward": score.worst_ward(own),
            "mcc": decided.mcc,
            "unknown_share": score.unknown_share(own),
            "driven_through_called_served": score.through_called_served(own),
            "called_served_wrongly": decided.false_pos,
            "service_not_seen": decided.false_neg,
            "traversal_f1": score.table(self.driven).f1,
            "fixes_per_cpu_s": round(self.counts["fixes"] / self.cpu_s),
        }


def run(
    town: Town,
    seeds: Sequence[int],
    options: Options,
    prover: Prover | None,
    matcher: baselines.Matcher | None,
) -> Report:
    """Without a matcher the road engine is left out, without a prover our own method."""
    report = Report(options)
    for seed in seeds:
        for outing in outings(town, seed, options):
            _add(report, town, outing, prover, matcher, seed)
    return report


def calibrated(town: Town, seeds: Sequence[int], options: Options) -> Calibration:
    """What the fleet's own fixes on those seeds teach, without the truth."""
    prover = Prover(town)
    return fit(
        [
            prover.tell(outing.fixes).proof
            for seed in seeds
            for outing in outings(town, seed, options)
        ]
    )


def _add(
    report: Report,
    town: Town,
    outing: Outing,
    prover: Prover | None,
    matcher: baselines.Matcher | None,
    seed: int,
) -> None:
    day, fixes = outing.day, outing.fixes
    planned = day.ward.planned
    truth = {lane: day.is_served(lane) for lane in planned}
    if report.options.shuffle_truth:
        truth = score.shuffled(truth, np.random.default_rng([seed, 3, day.ward.number]))
    methods: dict[str, Mapping[int, Said]] = {
        "buffer": _said(baselines.buffered(town, fixes, planned))
    }
    if prover is not None:
        told = prover.tell(fixes)
        methods["own"] = {lane: told.said(lane) for lane in planned}
        report.cpu_s += told.cpu_s
        report.driven += [
            (day.driven[lane] >= SERVED_FROM, told.driven(lane) >= SERVED_FROM) for lane in planned
        ]
    if matcher is not None:
        trails = matcher.match(fixes)
        methods["osrm"] = _said(baselines.matched(town, trails, planned))
        methods["osrm_pace"] = _said(baselines.paced(town, trails, planned))
    for name, said in methods.items():
        report.answers.setdefault(name, []).extend(
            Answer(outing.key, truth[lane], day.is_driven_through(lane), said[lane])
            for lane in planned
        )
    report.count(
        wards=1,
        lanes=len(planned),
        truly_served=sum(truth.values()),
        driven_through=sum(day.is_driven_through(lane) for lane in planned),
        truly_in_part=sum(0 < day.served[lane] < SERVED_FROM for lane in planned),
        fixes=len(fixes.t_s),
        hours=day.t_s[-1] / 3600,
        wrong_way_m=day.wrong_way_m,
        turns=day.turns,
    )


def _said(served: Mapping[int, bool]) -> dict[int, Said]:
    return {lane: Said.of(is_served) for lane, is_served in served.items()}
