"""Models from elsewhere: what is refused before it is loaded, and that they paint on the cloth's torus."""

import json
import re
from importlib import import_module

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from generation.backends import checkpoint, weights
from generation.backends.checkpoint import CheckpointGenerator
from generation.backends.checkpoint_painting import Rolling, load, moved, picture_size
from generation.backends.denoiser import Torus, wrap
from generation.domain.pattern import Brief, Layout, Limits, Palette, Raster, Repeat
from generation.domain.seam import LIMIT, lab_picture, worst_seam
from generation.errors import InvalidBrief, NoMemory, WeightsRefused
from tests import checkpoints

WRAPPING = [layout for layout in Layout if layout is not Layout.MIRROR]


@pytest.fixture(scope="module")
def painters(tmp_path_factory):
    made = {}
    for kind in checkpoints.KINDS:
        folder = checkpoints.save_tiny(kind, tmp_path_factory.mktemp(kind))
        weights.pin(folder)
        made[kind] = load(folder)
    return made


@pytest.fixture
def folder(tmp_path):
    """A pinned folder to spoil."""
    made = checkpoints.save_tiny("sd", tmp_path / "model")
    weights.pin(made)
    return made


def brief_of(layout, **more):
    return Brief("flowers", Repeat(160, 160, layout), 96, 96, **more)


@torch.inference_mode()
def decoded(painter, latents):
    return painter.pipeline.vae.decode(latents).sample


@torch.inference_mode()
def painted(painter, latents, layout):
    painter.torus.layout = layout
    words = {"prompt": "flowers", "num_inference_steps": 3, "output_type": "pt", "latents": latents.clone()}
    height, width = (2 * side for side in latents.shape[2:])
    return painter.pipeline(**words, height=height, width=width, guidance_scale=2.0).images


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_model_that_lacks_a_tensor_is_refused_and_not_filled_with_chance(folder, part):
    file = next((folder / part).glob("*.safetensors"))
    tensors = load_file(file)
    tensors.pop(max(tensors))
    save_file(tensors, file, metadata={"format": "pt"})
    weights.pin(folder)
    with pytest.raises(WeightsRefused, match=f"because of {part}: its files lack 1 of"):
        CheckpointGenerator(folder).generate(brief_of(Layout.STRAIGHT), [1], Limits())


def test_a_model_that_paints_one_plain_colour_is_told_apart_from_a_design(folder):
    file = next((folder / "vae").glob("*.safetensors"))
    tensors = load_file(file)
    tensors["decoder.conv_out.weight"].zero_()
    save_file(tensors, file, metadata={"format": "pt"})
    weights.pin(folder)
    with pytest.raises(InvalidBrief, match="one plain colour 3 times"):
        CheckpointGenerator(folder, steps=2).generate(brief_of(Layout.STRAIGHT), [1], Limits())


@pytest.mark.parametrize("layout", WRAPPING)
@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_rolling_what_the_model_begins_from_rolls_the_picture(painters, kind, layout):
    latents = torch.randn(1, 4, 24, 16, generator=torch.Generator().manual_seed(1))
    still = painted(painters[kind], latents, layout)
    for rows, columns in ((2, 0), (0, 6), (-4, 10)):
        there = painted(painters[kind], moved(latents, rows, columns, layout), layout)
        assert (there - moved(still, 2 * rows, 2 * columns, layout)).abs().max() <= 1e-4


def test_without_the_torus_the_same_roll_changes_the_picture(tmp_path):
    painter = load(checkpoints.save_tiny("sd", tmp_path))
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    still = painted(painter, latents, Layout.STRAIGHT)
    there = painted(painter, moved(latents, 0, 6, Layout.HALF_DROP), Layout.STRAIGHT)
    assert (there - moved(still, 0, 12, Layout.HALF_DROP)).abs().max() > 1e-2


@pytest.mark.parametrize("layout", WRAPPING)
def test_the_encoder_halves_on_the_torus_too(painters, layout):
    painter = painters["sd"]
    painter.torus.layout = layout
    picture = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        still = painter.pipeline.vae.encode(picture).latent_dist.mean
        there = painter.pipeline.vae.encode(moved(picture, 4, 12, layout)).latent_dist.mean
    assert (there - moved(still, 2, 6, layout)).abs().max() <= 1e-4


@pytest.mark.parametrize("layout", WRAPPING)
def test_moving_over_the_edge_brings_what_lies_beyond_it(layout):
    tile = torch.arange(48.0).reshape(1, 1, 6, 8)
    beyond = wrap(tile, 2, layout)
    for rows in (-2, 0, 1):
        for columns in (-2, 1, 2):
            seen = beyond[..., 2 - rows : 8 - rows, 2 - columns : 10 - columns]
            assert torch.equal(moved(tile, rows, columns, layout)[..., 2:-2, 2:-2], seen[..., 2:-2, 2:-2])
            assert torch.equal(moved(moved(tile, rows, columns, layout), -rows, -columns, layout), tile)
    assert torch.equal(moved(tile, 0, 1, layout)[0, 0, :, 0], beyond[0, 0, 2:-2, 1])


def test_a_transformer_is_cut_open_elsewhere_at_every_step_and_never_where_it_is_mirrored():
    rolling = Rolling(Torus(), torch.Generator().manual_seed(3))
    assert len({rolling.moves(16, 16) for _ in range(8)}) > 4
    rolling.torus.layout = Layout.MIRROR
    assert {rolling.moves(16, 16) for _ in range(8)} == {(0, 0)}


@pytest.mark.parametrize("layout", list(Layout))
def test_the_picture_of_a_unet_closes_in_its_layout(painters, layout):
    height, width = 64, 64
    latents = torch.randn(1, 4, height // 2, width // 2, generator=torch.Generator().manual_seed(4))
    picture = painted(painters["sd"], latents, layout)[0].permute(1, 2, 0).numpy()
    assert worst_seam(lab_picture((picture * 255).astype(np.uint8)), layout).excess < LIMIT


def test_sides_are_whole_where_the_layout_moves_them(painters):
    painter = painters["sd"]
    assert picture_size(painter, Brief("x", Repeat(100, 100, Layout.THIRD_DROP), 96, 96)) == (32, 24)
    assert picture_size(painter, Brief("x", Repeat(100, 150, Layout.HALF_DROP), 64, 96)) == (24, 32)
    assert picture_size(painter, brief_of(Layout.STRAIGHT)) == (32, 32)


# ------------------------------------------------------------------------------------------------ what is refused


def spoil_pickle(folder):
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"x")
    return "diffusion_pytorch_model.bin"


def spoil_code(folder):
    (folder / "pipeline.py").write_text("raise SystemExit")
    return "pipeline.py"


def spoil_byte(folder):
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    return "bytes are not the ones"


def spoil_class(folder):
    return change(folder / "model_index.json", "unet", ["my_models", "Unet"], "foreign class my_models.Unet")


def spoil_pipeline(folder):
    return change(folder / "model_index.json", "_class_name", ["pipeline", "Mine"], "its pipeline is")


def spoil_auto_map(folder):
    return change(folder / "text_encoder" / "config.json", "auto_map", {"AutoModel": "code.Model"}, "auto_map")


def spoil_link(folder):
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    outside = folder.parent / "elsewhere.safetensors"
    path.rename(outside)
    path.symlink_to(outside)
    return "it is a link"


def spoil_shards(folder):
    weights_file = folder / "text_encoder" / "model.safetensors"
    with safe_open(weights_file, "pt") as kept:
        names = list(kept.keys())
    weights_file.rename(folder.parent / "elsewhere.safetensors")
    index = {"metadata": {}, "weight_map": dict.fromkeys(names, "../../elsewhere.safetensors")}
    weights_file.with_name("model.safetensors.index.json").write_text(json.dumps(index))
    return "weights that are not beside it (../../elsewhere.safetensors)"


def spoil_manifest(folder):
    (folder / "manifest.json").unlink()
    return "manage.py pin_checkpoint"


def change(path, key, value, told):
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    return told


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_pickle, spoil_code, spoil_byte, spoil_class, spoil_pipeline, spoil_auto_map, spoil_link, spoil_shards,
        spoil_manifest,
    ],
)  # fmt: skip
def test_a_spoilt_folder_is_refused_with_the_file_and_the_reason(folder, spoil):
    told = spoil(folder)
    with pytest.raises(WeightsRefused, match=re.escape(told)):
        CheckpointGenerator(folder).fingerprint()
    if spoil not in (spoil_byte, spoil_manifest):
        with pytest.raises(WeightsRefused):
            weights.pin(folder)


def test_a_byte_changed_after_the_first_look_is_found(folder):
    generator = CheckpointGenerator(folder)
    generator.fingerprint()
    spoil_byte(folder)
    with pytest.raises(WeightsRefused):
        generator.generate(brief_of(Layout.STRAIGHT), [1], Limits())


def test_a_file_changed_between_the_look_and_the_loading_is_found(folder, monkeypatch):
    painting = import_module("generation.backends.checkpoint_painting")
    honest = painting.load

    def changed_meanwhile(path):
        painter = honest(path)
        spoil_byte(path)
        return painter

    monkeypatch.setattr(painting, "load", changed_meanwhile)
    with pytest.raises(WeightsRefused, match="changed while it was loaded"):
        CheckpointGenerator(folder).generate(brief_of(Layout.STRAIGHT), [1], Limits())


def test_a_model_larger_than_the_free_memory_is_refused_before_it_is_loaded(folder, monkeypatch):
    monkeypatch.setattr(checkpoint, "_ROOM", 1e9)
    with pytest.raises(NoMemory, match="GB of memory") as refused:
        CheckpointGenerator(folder).generate(brief_of(Layout.STRAIGHT), [1], Limits())
    assert refused.value.fields["measured"] > refused.value.fields["limit"]
    assert refused.value.retryable


def test_memory_that_runs_out_while_drawing_is_told_and_lets_the_next_one_draw(folder):
    generator = CheckpointGenerator(folder, steps=1)

    def runs_out(_done, _steps):
        raise MemoryError

    with pytest.raises(NoMemory):
        generator.generate(brief_of(Layout.STRAIGHT), [1], Limits(), on_step=runs_out)
    assert generator.generate(brief_of(Layout.STRAIGHT), [1], Limits())


# ------------------------------------------------------------------------------------------------ going on


def parent_of(layout=Layout.STRAIGHT):
    indices = np.zeros((96, 96), np.uint8)
    indices[24:72, 24:72] = 1
    return Raster(indices, Palette(("#ffffff", "#102030")), Repeat(160, 160, layout), seed=3)


def test_a_unet_goes_on_from_an_earlier_drawing_and_strength_nought_keeps_it(folder):
    generator = CheckpointGenerator(folder, steps=4)
    brief = brief_of(Layout.STRAIGHT, parents=(parent_of(),), strength=0.0)
    assert np.array_equal(generator.generate(brief, [1], Limits())[0].indices, parent_of().indices)
    brief = brief_of(Layout.STRAIGHT, parents=(parent_of(),), strength=0.8)
    (raster,) = generator.generate(brief, [1], Limits())
    assert set(raster.palette.colours) <= {"#ffffff", "#102030"}


@pytest.mark.parametrize(
    "asked", [{"parents": (parent_of(), parent_of())}, {"parents": (parent_of(),), "redraw": (1,)}]
)
def test_what_a_foreign_model_cannot_do_is_said(folder, asked):
    with pytest.raises(InvalidBrief, match="choose the embedded generator"):
        CheckpointGenerator(folder, steps=1).generate(brief_of(Layout.STRAIGHT, **asked), [1], Limits())


def test_the_operator_pins_a_folder_by_command_and_is_told_why_not(tmp_path, capsys):
    folder = checkpoints.save_tiny("sd", tmp_path / "model")
    call_command("pin_checkpoint", str(folder))
    assert CheckpointGenerator(folder).fingerprint()
    spoil_code(folder)
    with pytest.raises(CommandError, match=r"pipeline\.py"):
        call_command("pin_checkpoint", str(folder))
