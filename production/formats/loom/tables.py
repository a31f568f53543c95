"""The tables of a loom package: weaves, warp, wefts, hooks and floats, as data that any program reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from production.domain.draft import Draft
from production.domain.floats import FloatLimits, FloatReport, count_floats
from production.domain.spec import LineSpec, Weaving, Yarn
from production.domain.weave import BACK, LIBRARY, Weave
from production.ports import RenderJob

NO_VENDOR = (
    "The pictures are indexed bitmaps and 1-bit lift plans for the mill's own CAD to import. No file in this package "
    "is in a loom maker's own format."
)
ORIENTATION = "black (1) = warp up; first row = first pick; first column = first end; face of the cloth upwards"


def as_json(value: object) -> bytes:
    """`value` as JSON that people can read, ending with a line feed."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def weaves_json(draft: Draft, weaving: Weaving) -> bytes:
    """What every index of the point paper stands for: colour, weave, its lift plan per weft, step, longest float."""
    return as_json(
        [
            {"index": index, "colour": colour, "weave": name, "layers": _layers(LIBRARY[name], weaving)}
            for index, (colour, name) in enumerate(zip(draft.palette.colours, draft.weaves, strict=True))
        ]
    )


def wefts_csv(draft: Draft, weaving: Weaving) -> bytes:
    """The pick sequence of one repeat: the weft of each pick, its selector, and whether the cloth is taken up (1)."""
    rows = (
        (1 + line * len(weaving.wefts) + nth, nth + 1, nth + 1, 1 if nth == 0 else 0, yarn.sku, yarn.name, yarn.colour)
        for line in range(draft.lift.shape[0])
        for nth, yarn in enumerate(weaving.wefts)
    )
    return _csv(("pick", "weft", "selector", "regulator", "sku", "yarn", "colour"), rows)


def warp_csv(spec: LineSpec, weaving: Weaving) -> bytes:
    """The warp from left to right: how many ends of which yarn, and how they are drawn into the reed."""
    side = max(0, weaving.total_ends - spec.usable_width_px) // 2
    parts = [("selvedge left", side), ("pattern", weaving.total_ends - 2 * side), ("selvedge right", side)]
    rows, first = [], 1
    for name, ends in parts:
        if ends:
            yarn = weaving.warp.sku, weaving.warp.name, weaving.warp.colour, weaving.warp.tex
            dents = -(-ends // weaving.ends_per_dent)
            rows.append((name, first, first + ends - 1, ends, *yarn, weaving.ends_per_dent, dents))
            first += ends
    heads = ("part", "from_end", "to_end", "ends", "sku", "yarn", "colour", "tex", "ends_per_dent", "reed_dents")
    return _csv(heads, rows)


def castout_csv(draft: Draft, weaving: Weaving) -> bytes:
    """Every hook of the machine with what it does; figure hooks with their end and its column of the point paper.

    The ends stand in the middle of the figure hooks; those left over on either side are spare.
    """
    return _csv(("hook", "function", "number", "end", "point_paper_column", "yarn"), _hooks(draft, weaving))


def floats_json(draft: Draft, limits: FloatLimits) -> bytes:
    """The float report: per weft, on both faces in both directions, the longest and how many are over."""
    return as_json(
        {
            "limits": {"weft_over_ends": limits.weft, "warp_over_picks": limits.warp},
            "counted": "around the edges of the repeat, in threads, the picks of each weft by themselves",
            "binding_points_added": draft.repaired,
            "wefts": [{"weft": nth, **asdict(report)} for nth, report in enumerate(draft.floats, 1)],
        }
    )


def specification(draft: Draft, job: RenderJob, checksums: dict[str, str]) -> dict[str, Any]:
    """All of it as plain JSON values."""
    spec, weaving = job.spec, job.spec.weaving
    assert weaving is not None
    columns, rows = weaving.copies
    picks, ends = draft.paper.shape
    usage = job.assessment.usage
    return {
        "format": "weftline-loom/1",
        "note": NO_VENDOR,
        "orientation": ORIENTATION,
        "reference": job.reference,
        "revision": job.revision,
        "released_at": job.released_at.isoformat(),
        "loom": job.machine.code,
        "weave": {"code": weaving.code, "name": weaving.name},
        "repeat": {
            "ends": ends,
            "picks": picks,
            "picks_of_all_wefts": picks * len(weaving.wefts),
            "width_mm": round(spec.repeat.width_mm * columns, 4),
            "height_mm": round(spec.repeat.height_mm * rows, 4),
            "layout": spec.repeat.layout.value,
            "design_repeats": [columns, rows],
        },
        "harness_ends": weaving.harness_ends,
        "repeats_in_harness": weaving.harness_ends // ends,
        "hooks": weaving.hooks,
        "ends_per_cm": weaving.ends_per_cm,
        "picks_per_cm": weaving.picks_per_cm,
        "total_ends": weaving.total_ends,
        "reed": {"ends_per_dent": weaving.ends_per_dent, "dents_per_cm": weaving.ends_per_cm / weaving.ends_per_dent},
        "width_in_reed_mm": weaving.reed_width_mm,
        "finished_width_mm": round(spec.width_mm * (1 - spec.shrink_weft), 1),
        "contraction_pct": {"warp": 100 * spec.shrink_warp, "weft": 100 * spec.shrink_weft},
        "warp": _yarn(weaving.warp),
        "wefts": [{"selector": nth, **_yarn(yarn)} for nth, yarn in enumerate(weaving.wefts, 1)],
        "yarn_kg": {sku: round(kg, 4) for sku, kg in usage.yarn_kg.items()},
        "yarn_kg_per_m": {sku: round(kg / usage.fabric_length_m, 6) for sku, kg in usage.yarn_kg.items()},
        "fabric_length_m": round(usage.fabric_length_m, 4),
        "picks": usage.picks,
        "loom_hours": round(usage.minutes.get("Weave", 0.0) / 60, 3),
        "floats": {
            "limit_ends": weaving.float_limits.weft,
            "limit_picks": weaving.float_limits.warp,
            "limit_mm": weaving.max_float_mm or None,
            "longest": longest(draft.floats),
            "over": sum(report.over for report in draft.floats),
            "binding_points_added": draft.repaired,
        },
        "sha256": checksums,
    }


def longest(reports: Sequence[FloatReport]) -> int:
    """The longest float of all wefts' plans, in threads."""
    return max((report.longest for report in reports), default=0)


def _layers(weave: Weave, weaving: Weaving) -> list[dict[str, Any]]:
    lifts = [("ground", weave.lift, weave.step)]
    if weaving.extra is not None:
        figure = BACK.lift if weave.figure is None else weave.figure
        lifts.append(("figure at the back" if weave.figure is None else "figure on the face", figure, BACK.step))
    return [
        {
            "weft": nth,
            "layer": layer,
            "threads": len(lift),
            "step": step,
            "longest_float": count_floats(lift, FloatLimits(len(lift), len(lift))).longest,
            "lift": lift.astype(np.uint8).tolist(),
        }
        for nth, (layer, lift, step) in enumerate(lifts, 1)
    ]


def _hooks(draft: Draft, weaving: Weaving) -> Iterator[tuple[int | str, ...]]:
    ends = draft.paper.shape[1]
    unused = (weaving.figure_hooks - weaving.harness_ends) // 2
    counts: dict[str, int] = {}
    hook, end = 0, -unused
    for function, size in weaving.castout or (("figure", weaving.hooks),):
        for _ in range(size):
            hook += 1
            name = function
            end += function == "figure"  # counted from 1
            if function == "figure" and not 1 <= end <= weaving.harness_ends:
                name = "spare"
            number = counts[name] = counts.get(name, 0) + 1
            yarn = ""
            if name == "selector" and number <= len(weaving.wefts):
                yarn = weaving.wefts[number - 1].sku
            elif name in ("figure", "selvedge"):
                yarn = weaving.warp.sku
            place: tuple[int | str, ...] = (end, (end - 1) % ends + 1) if name == "figure" else ("", "")
            yield hook, name, number, *place, yarn


def _yarn(yarn: Yarn) -> dict[str, Any]:
    return {"sku": yarn.sku, "name": yarn.name, "tex": yarn.tex, "crimp_pct": 100 * yarn.crimp, "colour": yarn.colour}


def _csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """RFC 4180 with a heading; a cell that a spreadsheet would take for a formula begins with an apostrophe."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(heads)
    writer.writerows(
        [f"'{cell}" if str(cell).startswith(("=", "+", "-", "@")) else cell for cell in row] for row in rows
    )
    return buffer.getvalue().encode("utf-8", "replace")
