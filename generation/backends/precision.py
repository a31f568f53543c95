"""What the networks calculate in on this machine."""

from __future__ import annotations

from functools import lru_cache

import torch


@lru_cache(maxsize=1)
def quickest() -> torch.dtype:
    """bfloat16 where the processor has instructions for it, else float32.

    Without them (AVX2 alone) bfloat16 is emulated: one convolution of the network took 8.4 times as long as in float32,
    a drawing a minute and a half instead of seconds. The two precisions draw the same design with other last bits.
    """
    return torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32
