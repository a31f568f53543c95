"""How long a diffusion model of the usual size takes on this machine: what our own seconds are to be read beside."""

from __future__ import annotations

import os
import time
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch import nn

SIDE_PX = 512
_TEXT_TOKENS, _TEXT_WIDTH = 77, 768


def sd15_seconds(steps: int = 20) -> dict[str, Any]:
    """Seconds for one 512 px picture by a pipeline of Stable Diffusion 1.5's shape, bf16, with guidance, after loading.

    The weights are chance: their values don't change the time. The text encoder is left out, it takes milliseconds.
    Needs about 3 GB. {"seconds", "cpu_seconds", "steps", "parameters", "threads", "load"}.
    """
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=SIDE_PX // 8, cross_attention_dim=_TEXT_WIDTH)
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            sample_size=SIDE_PX,
        )
    networks = [_filled(network) for network in (unet, vae)]
    pipeline = StableDiffusionPipeline(
        unet=networks[0],
        vae=networks[1],
        text_encoder=None,
        tokenizer=None,
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    words = torch.randn(1, _TEXT_TOKENS, _TEXT_WIDTH, dtype=torch.bfloat16)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    pipeline(
        prompt_embeds=words,
        negative_prompt_embeds=torch.zeros_like(words),
        height=SIDE_PX,
        width=SIDE_PX,
        num_inference_steps=steps,
        guidance_scale=7.5,
        generator=torch.Generator().manual_seed(1),
        output_type="np",
    )
    seconds = time.perf_counter() - begun
    return {
        "seconds": seconds,
        "cpu_seconds": time.process_time() - begun_cpu,
        "steps": steps,
        "parameters": sum(p.numel() for network in networks for p in network.parameters()),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
    }


def _filled(network: nn.Module) -> nn.Module:
    """The network off the meta device, filled with small numbers, in the layout and precision that are quickest."""
    made = nn.Module.to(network, torch.bfloat16).to_empty(device="cpu").eval().requires_grad_(False)
    chance = torch.Generator().manual_seed(0)
    block = torch.randn(4096, generator=chance).to(torch.bfloat16) * 0.02
    for tensor in [*made.parameters(), *made.buffers()]:
        flat = tensor.view(-1)
        flat.copy_(block.repeat(flat.numel() // len(block) + 1)[: flat.numel()])
    return made.to(memory_format=torch.channels_last)
