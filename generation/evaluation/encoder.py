"""The judge: an own dual encoder of words and cloth, which tells how well a picture answers a caption.

The words go through the frozen sentence encoder and one matrix; the picture through a small convolutional tower that
pads with the neighbouring repeat and pools over the whole repeat, so that it makes no difference where the tile is cut.
The tower sees where the colours lie, largest area first, and neither which colours they are nor which roles they
play: it can't read a program's habits off its roles, and a recoloured design gets the same vector. Trained with InfoNCE
(van den Oord et al. 2018) by `manage.py train_judge`, on corpus seeds that the generator is not measured on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from generation.backends import weights
from generation.backends.denoiser import TEXT_WIDTH
from generation.backends.words import sentence_vectors
from generation.domain.palette import without_colours
from generation.domain.pattern import Raster

FOLDER = Path(__file__).resolve().parent / "judge"
PLANES = 4  # the three largest colours, and all others together
PICTURE_PX = 96  # two by two motif units of 48 pixels, that is a square repeat of about 170 mm
WIDTH = 128  # of the space that words and pictures share
_STEM_PX = 6
_CHANNELS = (64, 128, 192)
_CUTS = (0, 6, 13, 19)  # pixels by which a repeat is moved before its vectors are averaged
_MODEL = "judge.safetensors"


class Block(nn.Module):
    """Two circularly padded convolutions around which the input goes on."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="circular")
        self.second = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="circular")

    def forward(self, x: Tensor) -> Tensor:
        grown: Tensor = x + self.second(F.gelu(self.first(self.norm(x))))
        return grown


class Judge(nn.Module):
    """Pictures (B, PLANES, H, W) in [0, 1] and sentence vectors (B, TEXT_WIDTH) to unit vectors (B, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = _CHANNELS
        self.tower = nn.Sequential(
            nn.PixelUnshuffle(_STEM_PX),
            nn.Conv2d(PLANES * _STEM_PX**2, fine, 3, padding=1, padding_mode="circular"),
            Block(fine),
            nn.Conv2d(fine, middle, 3, stride=2, padding=1, padding_mode="circular"),
            Block(middle),
            Block(middle),
            nn.Conv2d(middle, coarse, 3, stride=2, padding=1, padding_mode="circular"),
            Block(coarse),
            nn.GroupNorm(8, coarse),
            nn.GELU(),
        )
        self.of_picture = nn.Linear(2 * coarse, WIDTH)
        self.of_words = nn.Linear(TEXT_WIDTH, WIDTH)
        self.sharpness = nn.Parameter(torch.tensor(2.6))  # log of the inverse temperature
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.zeros(WIDTH))  # of the vectors of all kinds of cloth
        self.register_buffer("spread", torch.eye(WIDTH))  # their covariance

    def pictures(self, planes: Tensor) -> Tensor:
        """Unit vectors of pictures that repeat in straight layout."""
        seen = self.tower((2 * planes - 1).contiguous(memory_format=torch.channels_last))
        pooled = torch.cat([seen.mean(dim=(2, 3)), seen.amax(dim=(2, 3))], dim=1).float()
        return F.normalize(self.of_picture(pooled), dim=-1)

    def words(self, sentences: Tensor) -> Tensor:
        """Unit vectors of captions from their sentence vectors."""
        return F.normalize(self.of_words(sentences), dim=-1)


def caption_vectors(captions: Sequence[str]) -> Tensor:
    """(n, TEXT_WIDTH) sentence vectors of captions without what they say about colour."""
    return sentence_vectors([without_colours(caption).lower() for caption in captions])


def picture_of(raster: Raster) -> NDArray[np.uint8]:
    """(PLANES, PICTURE_PX, PICTURE_PX) uint8: where the colours of one repeat lie, as an eye a step away sees it."""
    size = (PICTURE_PX, PICTURE_PX)
    shares = [
        cv2.resize((raster.indices == index).view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA)
        for index in range(len(raster.palette))
    ]
    return by_area(np.stack(shares))


def by_area(coverage: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(PLANES, H, W) uint8 of coverage (K, H, W) uint8: the largest colours first, the small ones in the last plane."""
    order = np.argsort(-coverage.sum(axis=(1, 2), dtype=np.int64), kind="stable")
    planes = np.zeros((PLANES, *coverage.shape[1:]), np.uint8)
    planes[: min(len(order), PLANES - 1)] = coverage[order[: PLANES - 1]]
    planes[-1] = coverage[order[PLANES - 1 :]].sum(axis=0, dtype=np.int64).clip(0, 255)
    return planes


@torch.inference_mode()
def embed_pictures(judge: Judge, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """(n, WIDTH) unit vectors of pictures as `picture_of` makes them, the mean over a few places to cut."""
    planes = torch.from_numpy(np.stack(pictures)).float() / 255
    cuts = [judge.pictures(planes.roll((cut, cut), (2, 3))) for cut in _CUTS]
    return F.normalize(torch.stack(cuts).mean(dim=0), dim=-1)


@torch.inference_mode()
def embed_captions(judge: Judge, captions: Sequence[str]) -> Tensor:
    """(n, WIDTH) unit vectors of captions."""
    return judge.words(caption_vectors(captions))


def answers(judge: Judge, pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> Tensor:
    """(pictures, captions) how much better each picture answers each caption than cloth does in general.

    Cosines in standard deviations over all kinds of cloth: a caption that is near to everything answers nothing.
    """
    seen, said = embed_pictures(judge, pictures), embed_captions(judge, captions)
    deviation = ((said @ judge.spread) * said).sum(dim=1).clamp(min=1e-8).sqrt()
    return (seen - judge.mean) @ said.T / deviation


def save(judge: Judge, folder: Path, card: dict[str, Any]) -> None:
    """Write the judge in half precision with its card and the manifest of digests."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in judge.state_dict().items()}, folder / _MODEL)
    (folder / weights.CARD).write_text(json.dumps(card, indent=1) + "\n")
    weights.write_manifest(folder)


@lru_cache(maxsize=1)
def load(folder: Path = FOLDER) -> Judge:
    """The judge in a folder, every byte checked first. Raises WeightsRefused."""
    weights.verify(folder)
    judge = Judge()
    judge.load_state_dict({name: value.float() for name, value in load_file(folder / _MODEL).items()})
    return judge.eval().requires_grad_(False)
