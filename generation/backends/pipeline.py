"""The diffusers pipeline that draws soft coverage of a repeat: a UNet on a torus and a flow-matching scheduler."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from torch import Tensor

from generation.backends.denoiser import ROLES, coarse_level, coordinates, geometry_of, make_toroidal, predict_logits
from generation.backends.precision import quickest
from generation.backends.projection import UnitLimits, project, weight_at
from generation.domain.setting import Cells

GUIDED_ABOVE = 0.6  # below this noise of the coarse picture the design is decided: guidance would only harden its edges


@dataclass(frozen=True)
class Start:
    """What a drawing goes on from (SDEdit, Meng et al. 2022)."""

    coverage: Tensor  # (ROLES, H, W) in [0, 1]
    time: float  # how much noise goes over it: 0 none, 1 nothing else
    pinned: Tensor | None = None  # (H, W) bool: where the start stays as it is


class RepeatPipeline(DiffusionPipeline):
    """Draws one repeat as coverage per role, exactly periodic in the layout of its cells."""

    def __init__(self, unet: UNet2DConditionModel, scheduler: FlowMatchEulerDiscreteScheduler) -> None:
        super().__init__()
        self.register_modules(unet=unet, scheduler=scheduler)
        self.torus = make_toroidal(unet)
        self.geometry = geometry_of(unet)

    @torch.inference_mode()
    def __call__(
        self,
        text: Tensor,
        cells: Cells,
        *,
        noise: Tensor,
        steps: int = 10,
        guidance: float = 2.5,
        start: Start | None = None,
        roles: Sequence[int] = range(ROLES),
        limits: UnitLimits | None = None,
        on_step: Callable[[int, int], None] | None = None,
        precision: torch.dtype | None = None,
    ) -> Tensor:
        """(ROLES, rows * unit_px, columns * unit_px) float32 coverage, summing to 1 over the roles.

        text: (1, tokens, width) token states. noise: as `unit_noise` makes it. roles: those that may be drawn.
        limits: what every prediction is moved towards while it is drawn; none: what the network likes.
        precision: what the network calculates in; none: what is quickest on this machine.
        Several threads may draw with one pipeline at once.
        """
        precision = precision or quickest()
        self.torus.layout = cells.layout
        where = coordinates(cells, self.geometry.unit_tokens)
        first = 1.0 if start is None else start.time
        given = None if start is None else 2 * start.coverage[None] - 1
        state = noise if given is None else (1 - first) * given + first * noise
        scheduler = copy.copy(self.scheduler)  # it counts its steps
        scheduler.set_timesteps(sigmas=self._levels(first, steps))
        forbidden = torch.ones(1, ROLES, 1, 1, dtype=torch.bool)
        forbidden[:, list(roles)] = False
        both = torch.cat([torch.zeros_like(text), text])
        clean = state
        for number, timestep in enumerate(scheduler.timesteps):
            level = float(scheduler.sigmas[number])
            coarse = coarse_level(level, self.geometry.unit_px)
            guided = guidance != 1.0 and coarse > GUIDED_ABOVE
            prompt = both if guided else text
            time = torch.full((len(prompt),), level)
            with torch.autocast("cpu", precision, enabled=precision != torch.float32):
                logits = predict_logits(self.unet, state.expand(len(prompt), -1, -1, -1), time, prompt, where)
            if guided:
                logits = logits[:1] + guidance * (logits[1:] - logits[:1])
            clean = logits.masked_fill(forbidden, -torch.inf).softmax(dim=1)
            if limits is not None:
                clean = project(clean, limits, weight=weight_at(coarse), layout=cells.layout)
            if start is not None and start.pinned is not None:
                clean = torch.where(start.pinned, start.coverage, clean)
            velocity = (state - (2 * clean - 1)) / level
            state = scheduler.step(velocity, timestep, state).prev_sample
            if on_step:
                on_step(number + 1, len(scheduler.timesteps))
        return clean[0]

    def _levels(self, start: float, steps: int) -> list[float]:
        """Noise levels from `start` down, evenly spaced before the scheduler shifts them."""
        shift = self.scheduler.config["shift"]
        first = start / (shift - (shift - 1) * start)
        return [first * (1 - k / steps) for k in range(steps)]


def unit_noise(cells: Cells, unit_px: int, *, seed: int, likeness: float = 0.0) -> Tensor:
    """(1, ROLES, H, W) unit noise from the seed alone; `likeness` of its variance is the same in every unit."""
    random = torch.Generator().manual_seed(seed)
    own = torch.randn(1, ROLES, cells.rows * unit_px, cells.columns * unit_px, generator=random)
    if likeness <= 0:
        return own
    shared = torch.randn(1, ROLES, unit_px, unit_px, generator=random)
    origins = cells.origins()
    rows = [
        torch.cat([_moved(shared, *corner) for corner in origins[row * cells.columns : (row + 1) * cells.columns]], 3)
        for row in range(cells.rows)
    ]
    return likeness**0.5 * torch.cat(rows, dim=2) + (1 - likeness) ** 0.5 * own


def _moved(unit: Tensor, x: float, y: float) -> Tensor:
    side = unit.shape[-1]
    return unit.roll((int(y % 1 * side), int(x % 1 * side)), (2, 3))
