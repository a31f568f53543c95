"""Tiny diffusers folders with chance weights, in the shapes of Stable Diffusion, SDXL and PixArt, made in a second."""

from __future__ import annotations

import string
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    PixArtAlphaPipeline,
    PixArtTransformer2DModel,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

KINDS = ("sd", "sdxl", "pixart")
WIDTH = 32


def save_tiny(kind: str, folder: Path) -> Path:
    """Write a pipeline of that kind into the folder, as `save_pretrained` of diffusers does."""
    torch.manual_seed(5)
    {"sd": _sd, "sdxl": _sdxl, "pixart": _pixart}[kind]().save_pretrained(folder, safe_serialization=True)
    return folder


def _sd():
    return StableDiffusionPipeline(
        unet=_unet(),
        vae=_vae(),
        text_encoder=CLIPTextModel(_clip()),
        tokenizer=_clip_tokenizer(),
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl():
    unet = _unet(
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=1,
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
        cross_attention_dim=2 * WIDTH,
    )
    return StableDiffusionXLPipeline(
        unet=unet,
        vae=_vae(),
        text_encoder=CLIPTextModel(_clip()),
        text_encoder_2=CLIPTextModelWithProjection(_clip()),
        tokenizer=_clip_tokenizer(),
        tokenizer_2=_clip_tokenizer(),
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear"),
        add_watermarker=False,
    )


def _pixart():
    transformer = PixArtTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        out_channels=8,
        num_layers=2,
        cross_attention_dim=16,
        sample_size=16,
        patch_size=2,
        caption_channels=WIDTH,
        use_additional_conditions=False,
    )
    config = T5Config(vocab_size=64, d_model=WIDTH, d_ff=37, d_kv=8, num_heads=4, num_layers=1)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("▁", -2.0)]
    return PixArtAlphaPipeline(
        transformer=transformer.eval(),
        vae=_vae(),
        text_encoder=T5EncoderModel(config).eval(),
        tokenizer=T5Tokenizer(vocab=pieces + [(letter, -3.0) for letter in string.ascii_lowercase], extra_ids=0),
        scheduler=DPMSolverMultistepScheduler(),
    )


def _unet(**more):
    return UNet2DConditionModel(
        **{
            "block_out_channels": (16, 32),
            "layers_per_block": 1,
            "sample_size": 16,
            "in_channels": 4,
            "out_channels": 4,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "cross_attention_dim": WIDTH,
            "attention_head_dim": 4,
            "norm_num_groups": 8,
            **more,
        }
    ).eval()


def _vae():
    vae = AutoencoderKL(
        block_out_channels=(16, 16),
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=32,
    ).eval()
    with torch.no_grad():  # colours far enough apart to be more than one
        vae.decoder.conv_out.weight *= 6
    return vae


def _clip():
    return CLIPTextConfig(
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
        hidden_size=WIDTH,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        vocab_size=64,
        projection_dim=WIDTH,
        max_position_embeddings=77,
    )


def _clip_tokenizer():
    letters = list(string.ascii_lowercase)
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    return CLIPTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[], model_max_length=77)
