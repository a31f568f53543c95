"""Train the network that finds defects on simulated scans of our designs, measure it, put its weights in place.

One command makes the weights that ship: the same recipe and seed draw the same scans. It may be stopped at any time and
goes on from its last checkpoint with --resume.
"""

from argparse import ArgumentParser
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from generation.training import corpus
from orders.inspection_designs import families, inspection_design
from production.inspection import bench
from production.inspection.constructions import TEST_STRUCTURES
from production.inspection.detect import scored


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--steps", type=int, help="of the whole training, other than the recipe's")
        parser.add_argument("--stop-at", type=int, help="stop at this step and write no weights; go on with --resume")
        parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the work folder")
        parser.add_argument("--work", type=Path, default=Path(settings.VAR_DIR) / "inspection")
        parser.add_argument("--out", type=Path, help="the folder of weights to write; the shipped one by default")
        parser.add_argument("--scans", type=int, default=bench.SCANS, help="of the bench that measures the weights")

    def handle(self, *args: Any, **options: Any) -> None:
        training = import_module("production.inspection.train")  # torch comes in here, not with the web server
        weights = import_module("production.inspection.weights")
        network_of = import_module("production.inspection.network")
        recipe = training.Recipe()
        if options["steps"]:
            recipe = replace(recipe, steps=options["steps"])
        network, progress = training.train(
            inspection_design,
            work=options["work"],
            recipe=recipe,
            resume=options["resume"],
            stop_at=options["stop_at"],
            report=self.stdout.write,
        )
        if progress.steps < recipe.steps:
            self.stdout.write(f"stopped at step {progress.steps} of {recipe.steps}: go on with --resume")
            return
        figures = measured(network_of.folded(network), scans=options["scans"])
        card = weights.write(network, options["out"] or weights.WEIGHTS, card_of(recipe, progress, figures))
        self.stdout.write(f"weights of {card['parameters']} parameters; see {weights.WORDS} beside them")


def measured(network: Any, *, scans: int) -> dict[str, str]:
    """What the bench says of a folded network."""
    clean, found = (
        [bench.judged(case, lambda reference, scan: scored(reference, scan, network=network)) for case in cases]
        for cases in (
            bench.clean_cases(inspection_design, bench.CLEAN_SCANS),
            bench.cases(inspection_design, scans),
        )
    )
    return bench.table(clean, found) | bench.unset(clean, found)


def card_of(recipe: Any, progress: Any, figures: dict[str, str]) -> dict[str, Any]:
    """What is known of the weights."""
    return {
        "name": "Weftline defect detector",
        "task": "reference and scan of a printed cloth to the eight kinds of defects, pixel by pixel at 50 dpi",
        "steps": progress.steps,
        "scans": progress.scans,
        "processor_minutes": round(progress.seconds / 60),
        "recipe": asdict(recipe),
        "data": (
            f"scans simulated by production/inspection/simulate.py of designs that {len(families('train'))} "
            f"textile programs drew (corpus {corpus.version()}); no photograph of cloth is among them"
        ),
        "licence": "own synthetic data: no other pictures",
        "held_out": (
            f"the weaves {', '.join(TEST_STRUCTURES)}; {len(families('test'))} families of patterns; three of "
            "ten parts of the range of every thread count, size and contrast"
        ),
        "limits": (
            "it has seen simulated cloth only. On real cloth a threshold has to be set on clean scans of the "
            "quality, and recall is not known until defects of it were scanned. It compares with a reference: "
            "a defect of the design itself is none"
        ),
        "figures": {"the bench": f"{bench.SCANS} scans with defects, {bench.CLEAN_SCANS} without; SYNTHETIC"} | figures,
    }
