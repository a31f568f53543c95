"""The trained network's folder: its numbers as safetensors, its card, and the digest that ties them together."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from production.errors import DetectorRefused
from production.inspection.network import Inspector, folded, parameters_of

WEIGHTS = Path(__file__).resolve().parent / "detector"
NUMBERS, CARD, WORDS = "detector.safetensors", "model_card.json", "README.md"
MOST_BYTES = 4_000_000


@lru_cache(maxsize=2)
def shipped(folder: Path = WEIGHTS) -> Inspector:
    """The network to inspect with. Raises DetectorRefused where a byte of it is not as it was trained."""
    card = read_card(folder)
    try:
        data = (folder / NUMBERS).read_bytes()
        if hashlib.sha256(data).hexdigest() != card["sha256"]:
            raise ValueError("its bytes are not those of its card")
        network = Inspector(tuple(card["recipe"]["widths"]))
        network.load_state_dict(load_file(folder / NUMBERS))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DetectorRefused(
            f"{NUMBERS} can't be used: {error}. Put the shipped file back, or run manage.py train_inspection.",
            fields={"path": NUMBERS},
        ) from error
    return folded(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def read_card(folder: Path = WEIGHTS) -> dict[str, Any]:
    """What is known of the weights. Raises DetectorRefused."""
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DetectorRefused(
            f"{CARD} of the network that finds defects is missing or damaged. Put it back, or run manage.py "
            "train_inspection.",
            fields={"path": CARD},
        ) from error
    return card


def write(network: Inspector, folder: Path, card: dict[str, Any]) -> dict[str, Any]:
    """Write the folder; returns the card with the digest and the size."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(state, folder / NUMBERS)
    data = (folder / NUMBERS).read_bytes()
    assert len(data) <= MOST_BYTES, "the weights are small enough to ship with the source"
    whole = {
        **card,
        "parameters": parameters_of(network),
        "sha256": hashlib.sha256(data).hexdigest(),
        "libraries": {"torch": torch.__version__},
    }
    (folder / CARD).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    (folder / WORDS).write_text(_words(whole), encoding="utf-8")
    return whole


def _words(card: dict[str, Any]) -> str:
    recipe, figures = card["recipe"], card.get("figures", {})
    rows = "\n".join(f"| {what} | {value} |" for what, value in figures.items())
    return f"""# Weftline defect detector

{card["task"]}. {card["parameters"] / 1e6:.2f} M parameters, safetensors.

* Trained from nothing by `manage.py train_inspection`: {card["steps"]} steps of {recipe["batch"]} crops,
  {card["scans"]} simulated scans, {card["processor_minutes"]} processor minutes, seed {recipe["seed"]}.
* Data: {card["data"]}
* Licence of the data: {card["licence"]}
* Held out for testing: {card["held_out"]}
* Limits: {card["limits"]}

All figures are synthetic: they were measured on simulated scans.

| what | figure |
|---|---|
{rows}
"""
