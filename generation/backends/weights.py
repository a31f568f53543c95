"""A folder of weights: written with a manifest of digests, refused when a single byte is not the one it names.

Our own weights ship with their manifest. A folder from elsewhere is looked through by `inspect`, and what passed is
kept by `pin`: from then on it is the same to `verify` as ours.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from generation.errors import WeightsRefused

MANIFEST = "manifest.json"
CARD = "model_card.json"
INDEX = "model_index.json"
SHARDS = ".safetensors.index.json"
SHIPPED = (".safetensors", ".json", ".md")
FOREIGN = (".safetensors", ".json", ".md", ".txt", ".model")  # .txt and .model: a tokenizer's merges and pieces

PIPELINES = {
    "StableDiffusionPipeline",
    "StableDiffusionXLPipeline",
    "PixArtAlphaPipeline",
    "PixArtSigmaPipeline",
}
_PARTS = {
    "diffusers": {
        "AutoencoderKL", "UNet2DConditionModel", "PixArtTransformer2DModel", "Transformer2DModel",
        "DDIMScheduler", "DDPMScheduler", "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler",
        "EulerAncestralDiscreteScheduler", "EulerDiscreteScheduler", "HeunDiscreteScheduler",
        "KDPM2DiscreteScheduler", "LCMScheduler", "LMSDiscreteScheduler", "PNDMScheduler", "TCDScheduler",
        "UniPCMultistepScheduler",
    },
    "transformers": {
        "CLIPImageProcessor", "CLIPTextModel", "CLIPTextModelWithProjection", "CLIPTokenizer", "CLIPTokenizerFast",
        "T5EncoderModel", "T5Tokenizer", "T5TokenizerFast",
    },
}  # fmt: skip
_UNUSED = {"safety_checker", "feature_extractor", "image_encoder", "watermarker"}  # parts that drawing does without
_CODE_KEYS = {"auto_map", "custom_pipeline", "custom_pipelines", "trust_remote_code"}


@lru_cache(maxsize=8)
def code_digest(*patterns: str) -> str:
    """Digest of the product's own files that fit the patterns, as they were when this process first asked.

    Once per process: what is put in their place later is not the code that draws here.
    """
    home, digest = Path(__file__).resolve().parent.parent, hashlib.sha256()
    for pattern in patterns:
        for path in sorted(home.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def write_manifest(folder: Path) -> None:
    """Write the digest of every other file of the folder."""
    files = {name: _digest(folder / name) for name in _files(folder) if name != MANIFEST}
    (folder / MANIFEST).write_text(json.dumps({"files": files}, indent=1, sort_keys=True) + "\n")


def verify(
    folder: Path, *, allowed: tuple[str, ...] = SHIPPED, remedy: str = "Put the shipped files back, or train anew."
) -> str:
    """Check every file against the manifest, without loading any; returns the manifest's own digest.

    Only the `allowed` kinds of files are let in: formats that can carry code are refused before they are opened, and
    so are files that the manifest does not name. Raises WeightsRefused, which ends with the `remedy`.
    """
    try:
        listed: dict[str, str] = json.loads((folder / MANIFEST).read_text())["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise refused(folder, MANIFEST, "it is missing or can't be read", remedy) from error
    present = set(_files(folder)) - {MANIFEST}
    for name in sorted(present | set(listed)):
        if not name.endswith(allowed):
            raise refused(folder, name, f"only {', '.join(allowed)} files are let in", remedy)
        if name not in listed:
            raise refused(folder, name, "the manifest does not name it", remedy)
        if name not in present or (folder / name).is_symlink():
            raise refused(folder, name, "it is missing", remedy)
        if _digest(folder / name) != listed[name]:
            raise refused(folder, name, "its bytes are not the ones in the manifest", remedy)
    return _digest(folder / MANIFEST)


def pin(folder: Path) -> str:
    """Write down what a folder from elsewhere holds, once `inspect` lets it pass; returns the manifest's digest.

    Raises WeightsRefused.
    """
    inspect(folder)
    write_manifest(folder)
    return verify_pinned(folder)


def verify_pinned(folder: Path) -> str:
    """Check a folder from elsewhere against what was pinned, without loading any of it; returns its digest.

    Raises WeightsRefused.
    """
    inspect(folder, pinned=True)
    remedy = f"Look at who changed it; if it is as you want it, run: manage.py pin_checkpoint {folder}"
    return verify(folder, allowed=FOREIGN, remedy=remedy)


def inspect(folder: Path, *, pinned: bool = False) -> None:
    """Refuse a diffusers folder that could run code or needs classes we do not know; nothing of it is loaded.

    Refused are files other than safetensors, JSON and text, every link, weights named outside the folder, classes that
    are not in the lists above, and settings that ask for code of the folder's own; with `pinned` also a folder without
    a manifest. Raises WeightsRefused.
    """
    if not folder.is_dir():
        raise refused(folder, str(folder), "there is no such folder", "Name the folder that holds model_index.json.")
    files = _files(folder)
    for name in files:
        if (folder / name).is_symlink():
            raise refused(folder, name, "it is a link", "Copy the file itself into the folder.")
        if not name.endswith(FOREIGN):
            raise refused(
                folder, name, "it could carry code or is not needed", f"Keep only {', '.join(FOREIGN)} files."
            )
    if pinned and not (folder / MANIFEST).is_file():
        raise refused(folder, MANIFEST, "the folder was never pinned", f"Run once: manage.py pin_checkpoint {folder}")
    own_code = "Use a checkpoint made of the classes of diffusers and transformers alone."
    index = _json(folder, INDEX)
    what = index.get("_class_name") if isinstance(index, dict) else None
    if not isinstance(what, str) or what not in PIPELINES:
        raise refused(folder, INDEX, f"its pipeline is {what!r}", f"Known are: {', '.join(sorted(PIPELINES))}.")
    for part, kind in index.items():
        if not isinstance(kind, list) or part in _UNUSED or kind == [None, None]:
            continue
        library, name = [*kind, None, None][:2]
        if name not in _PARTS.get(str(library), ()):
            raise refused(folder, INDEX, f"its {part} is of the foreign class {library}.{name}", own_code)
    for name in files:
        settings = name.endswith("config.json") or name == INDEX
        if settings and (asked := _code_keys(_json(folder, name))):
            raise refused(folder, name, f"it asks for code of its own ({', '.join(sorted(asked))})", own_code)
        if name.endswith(SHARDS):
            for shard in _shards(_json(folder, name)):
                if (Path(name).parent / shard).as_posix() not in files:
                    remedy = "Put the weights beside their index, and name them there without a folder."
                    raise refused(folder, name, f"it names weights that are not beside it ({shard})", remedy)


def refuse_gaps(folder: Path, part: str, needed: Iterable[tuple[int, ...]]) -> None:
    """Refuse a part of a diffusers folder whose files hold fewer tensors than its network `needed`, by their shapes.

    Not by their names: the libraries know several for the same tensor. Raises WeightsRefused.
    """
    held: Counter[tuple[int, ...]] = Counter()
    for path in sorted((folder / part).glob("*.safetensors")):
        for name, tensor in _header(path).items():
            if name != "__metadata__":
                held[tuple(tensor["shape"])] += 1
    if lacking := (Counter(needed) - held).total():
        why = f"its files lack {lacking} of the network's tensors"
        raise refused(folder, part, why, "Take the whole model from where it came, then pin it again.")


def _header(path: Path) -> dict[str, Any]:
    """What a safetensors file says about its tensors: eight bytes of length, then JSON."""
    with path.open("rb") as file:
        said: dict[str, Any] = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return said


def unused_parts(folder: Path) -> dict[str, None]:
    """The parts of a diffusers folder that drawing does without, as arguments for its loader."""
    return {part: None for part in _json(folder, INDEX) if part in _UNUSED}


def pipeline_class(folder: Path) -> str:
    """The name of the folder's pipeline class."""
    return str(_json(folder, INDEX)["_class_name"])


def size_bytes(folder: Path) -> int:
    """What all weights of the folder take."""
    return sum((folder / name).stat().st_size for name in _files(folder) if name.endswith(".safetensors"))


def read_card(folder: Path) -> dict[str, Any]:
    """The model card as data."""
    card: dict[str, Any] = json.loads((folder / CARD).read_text())
    return card


def _code_keys(settings: object) -> set[str]:
    if isinstance(settings, dict):
        return (_CODE_KEYS & settings.keys()).union(*map(_code_keys, settings.values()))
    return set().union(*map(_code_keys, settings)) if isinstance(settings, list) else set()


def _shards(index: object) -> set[str]:
    """The files that an index of weights says they lie in."""
    named = index.get("weight_map") if isinstance(index, dict) else None
    return {str(shard) for shard in named.values()} if isinstance(named, dict) else set()


def _json(folder: Path, name: str) -> Any:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise refused(folder, name, "it is missing or can't be read", "Put the file back as it was made.") from error


def _files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink()
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refused(folder: Path, name: str, why: str, remedy: str) -> WeightsRefused:
    """What says that a file of the folder kept the model from being loaded, and what to do."""
    return WeightsRefused(
        f"The model in '{folder.name}' was not loaded because of {name}: {why}. {remedy}",
        fields={"file": name, "reason": why, "remedy": remedy},
    )
