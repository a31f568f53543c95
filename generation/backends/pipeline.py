"""The diffusers pipeline that draws soft coverage of a repeat: a UNet on a torus and a flow-matching scheduler."""

from __future__ import annotations

from collections.abc import Callable

import torch
from diffusers import DiffusionPipeline, FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from torch import Tensor

from generation.backends.denoiser import ROLES, UNIT_PX, coordinates, make_toroidal, predict_logits
from generation.domain.setting import Cells

NOISE_SHIFT = 5.0
GUIDED_ABOVE = 0.5  # below this noise the design is decided: guidance would only harden its edges


class RepeatPipeline(DiffusionPipeline):
    """Draws one repeat as coverage per role, exactly periodic in the layout of its cells."""

    def __init__(self, unet: UNet2DConditionModel, scheduler: FlowMatchEulerDiscreteScheduler) -> None:
        super().__init__()
        self.register_modules(unet=unet, scheduler=scheduler)
        self.torus = make_toroidal(unet)

    @torch.inference_mode()
    def __call__(
        self,
        text: Tensor,
        cells: Cells,
        *,
        seed: int,
        steps: int = 10,
        guidance: float = 2.5,
        start: Tensor | None = None,
        start_time: float = 1.0,
        likeness: float = 0.0,
        slots: int = ROLES,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Tensor:
        """(ROLES, rows * UNIT_PX, columns * UNIT_PX) float32 coverage, summing to 1 over the roles.

        text: (1, tokens, width) token states. start: coverage to begin from (SDEdit, Meng et al. 2022), noised to
        `start_time`. likeness: share of the noise's variance that all units have in common. slots: roles allowed.
        """
        self.torus.layout = cells.layout
        where = coordinates(cells)
        noise = unit_noise(cells, seed=seed, likeness=likeness)
        state = noise if start is None else (1 - start_time) * (2 * start[None] - 1) + start_time * noise
        self.scheduler.set_timesteps(sigmas=_unshifted_levels(start_time, steps))
        forbidden = torch.arange(ROLES).view(1, -1, 1, 1) >= slots
        both = torch.cat([torch.zeros_like(text), text])
        clean = state
        for number, timestep in enumerate(self.scheduler.timesteps):
            level = float(self.scheduler.sigmas[number])
            guided = guidance != 1.0 and level > GUIDED_ABOVE
            prompt = both if guided else text
            time = torch.full((len(prompt),), level)
            with torch.autocast("cpu", torch.bfloat16):
                logits = predict_logits(self.unet, state.expand(len(prompt), -1, -1, -1), time, prompt, where)
            if guided:
                logits = logits[:1] + guidance * (logits[1:] - logits[:1])
            clean = logits.masked_fill(forbidden, -torch.inf).softmax(dim=1)
            velocity = (state - (2 * clean - 1)) / level
            state = self.scheduler.step(velocity, timestep, state).prev_sample
            if on_step:
                on_step(number + 1, len(self.scheduler.timesteps))
        return clean[0]


def unit_noise(cells: Cells, *, seed: int, likeness: float) -> Tensor:
    """(1, ROLES, H, W) unit noise from the seed alone; `likeness` of its variance is the same in every unit."""
    random = torch.Generator().manual_seed(seed)
    own = torch.randn(1, ROLES, cells.rows * UNIT_PX, cells.columns * UNIT_PX, generator=random)
    if likeness <= 0:
        return own
    shared = torch.randn(1, ROLES, UNIT_PX, UNIT_PX, generator=random)
    columns = [
        torch.cat(
            [_moved(shared, *corner) for corner in cells.origins()[row * cells.columns : (row + 1) * cells.columns]], 3
        )
        for row in range(cells.rows)
    ]
    return likeness**0.5 * torch.cat(columns, dim=2) + (1 - likeness) ** 0.5 * own


def _moved(unit: Tensor, x: float, y: float) -> Tensor:
    return unit.roll((int(y % 1 * UNIT_PX), int(x % 1 * UNIT_PX)), (2, 3))


def _unshifted_levels(start: float, steps: int) -> list[float]:
    """Even noise levels from `start` down, given before the scheduler's shift."""
    first = start / (NOISE_SHIFT - (NOISE_SHIFT - 1) * start)
    return [first * (1 - k / steps) for k in range(steps)]
