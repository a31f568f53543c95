"""Inspection on simulated scans: `python -m tests.benchmarks.inspection [detection|edges] [--weights FILE]`.

Everything here is synthetic. detection: how many defects are found at 1, 5 and 20 false alarms per m², by the network
and by the classical detector, on the same scans and by the same rules. edges: how much of the difference between a
sound scan and its reference at the design's edges is left once the scan is made even.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch

from orders.inspection_designs import inspection_design
from production.inspection import bench
from production.inspection.bench import Judged
from production.inspection.classical import scored_classically
from production.inspection.detect import scored
from production.inspection.evenness import evenness
from production.inspection.network import Inspector, folded
from production.inspection.weights import shipped

SHARP = 48  # levels of 8 bits within three pixels
LEAST_SHARP = 0.005  # of a scan
BORDER_PX = 12


def figures() -> list[tuple[str, str]]:
    """(what, figure) lines of all measurements."""
    return [*detection(shipped()), *edges()]


def detection(
    network: Inspector, *, scans: int = bench.SCANS, clean_scans: int = bench.CLEAN_SCANS, peer: bool = True
) -> list[tuple[str, str]]:
    """Recall, beside the classical detector's."""
    detectors = {"network": lambda reference, scan: scored(reference, scan, network=network)}
    if peer:
        detectors["classical"] = scored_classically
    clean: dict[str, list[Judged]] = {name: [] for name in detectors}
    found: dict[str, list[Judged]] = {name: [] for name in detectors}
    spent = dict.fromkeys(detectors, 0.0)
    area = 0.0
    for into, cases in (
        (clean, bench.clean_cases(inspection_design, clean_scans)),
        (found, bench.cases(inspection_design, scans)),
    ):
        for case in cases:
            for name, detector in detectors.items():
                began = time.process_time()
                into[name].append(bench.judged(case, detector))
                spent[name] += time.process_time() - began
            area += into[name][-1].scores.area_m2
    rows = [("SYNTHETIC: simulated scans", f"{area:.1f} m², {scans} with defects, {clean_scans} without")]
    for name in detectors:
        rows += [(f"{name}: {what}", figure) for what, figure in bench.table(clean[name], found[name]).items()]
        if name == "network":
            rows += [(f"{name}: {what}", figure) for what, figure in bench.unset(clean[name], found[name]).items()]
        rows.append((f"{name}: processor seconds per m²", f"{spent[name] / area:.1f}"))
    return rows


def edges(scans: int = 24) -> list[tuple[str, str]]:
    """What is left of the difference at sharp edges of sound cloth, against colours and light alone made even."""
    left = []
    for case in bench.clean_cases(inspection_design, scans):
        even = evenness(case.reference, case.scan)
        reference = case.reference[:, :]
        sharp = cv2.morphologyEx(reference, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).max(axis=2) >= SHARP
        sharp[:BORDER_PX], sharp[-BORDER_PX:], sharp[:, :BORDER_PX], sharp[:, -BORDER_PX:] = False, False, False, False
        if sharp.mean() < LEAST_SHARP:
            continue  # a design of one colour
        bare = replace(
            even, shift=np.zeros_like(even.shift), drawn=np.zeros_like(even.drawn), slip=np.zeros_like(even.slip)
        )
        whole = slice(0, len(reference)), slice(0, reference.shape[1])
        off = [
            float(np.sqrt(((each.asked(reference) - each.seen(case.scan, *whole))[sharp] ** 2).mean()))
            for each in (bare, even)
        ]
        left.append(off[1] / off[0])
    said = f"median {np.median(left):.2f}, {np.percentile(left, 10):.2f} to {np.percentile(left, 90):.2f} in 8 of 10"
    return [(f"SYNTHETIC: left of the difference at sharp edges, {len(left)} sound scans", said)]


def of_checkpoint(path: Path) -> Inspector:
    """The averaged network of a training that still runs."""
    state = torch.load(path, weights_only=True)
    network = Inspector()
    network.load_state_dict(state["average"])
    return folded(network).to(memory_format=torch.channels_last)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=["detection", "edges"], default="detection")
    parser.add_argument("--scans", type=int, default=bench.SCANS)
    parser.add_argument("--clean-scans", type=int, default=bench.CLEAN_SCANS)
    parser.add_argument("--weights", type=Path, help="a checkpoint of a training; the shipped weights otherwise")
    parser.add_argument("--no-peer", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    if options.part == "edges":
        rows = edges()
    else:
        network = of_checkpoint(options.weights) if options.weights else shipped()
        rows = detection(network, scans=options.scans, clean_scans=options.clean_scans, peer=not options.no_peer)
    for what, figure in rows:
        print(f"{what:<70} {figure}", flush=True)


if __name__ == "__main__":
    main()
