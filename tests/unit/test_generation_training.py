"""Training from nothing, in miniature: it learns, resumes, exports, and never replaces better weights."""

import copy
from dataclasses import replace

import pytest
import torch
from PIL import Image

from generation.backends import weights
from generation.backends.denoiser import geometry_of, make_toroidal
from generation.backends.denoiser import network as untaught
from generation.training import train as training
from generation.training.contact_sheet import contact_sheet
from generation.training.export import WorseWeights, export

TINY = replace(
    training.RECIPES["cpu"],
    widths=(16, 16, 32),
    batch=4,
    pool_units=64,
    first_units=24,
    fresh_per_step=2,
    held_out_units=4,
    warm_up_steps=2,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A few steps, stopped, and a few more: (network, progress, lines told, images when it was stopped, folder)."""
    work = tmp_path_factory.mktemp("work")
    told = []
    _, first = training.train(minutes=0.1, work=work, recipe=TINY, report=told.append)
    stopped = first.images
    network, progress = training.train(minutes=0.15, work=work, resume=True, recipe=TINY, report=told.append)
    return network, progress, told, stopped, work


def test_a_resumed_training_goes_on_from_where_it_stopped(trained):
    _, progress, _, stopped, _ = trained
    assert 0 < stopped < progress.images
    assert progress.seconds >= 0.15 * 60
    assert [entry["images"] for entry in progress.history][-2:] == [stopped, progress.images]


def test_the_network_learns_at_half_the_size_first_and_is_grown(trained):
    network, progress, told, *_ = trained
    assert [entry["unit_px"] for entry in progress.history] == [64, 128, 128]
    assert geometry_of(network) == TINY.fine
    assert any("growing" in line for line in told)


def test_training_lowers_the_cross_entropy(trained):
    _, progress, _, _, _ = trained
    torch.manual_seed(TINY.seed)
    untrained = untaught(TINY.fine, TINY.widths)
    make_toroidal(untrained)
    before = training.held_out_score(untrained, units=TINY.held_out_units)
    assert progress.history[-1]["score"]["mean"] < 0.9 * before["mean"]


def test_the_score_is_told_by_noise_level(trained):
    _, progress, told, _, _ = trained
    assert set(progress.history[-1]["score"]) == {"0.35", "0.6", "0.8", "0.92", "0.98", "mean"}
    assert any("held-out" in line for line in told)


def test_held_out_seeds_are_far_from_the_ones_trained_on(trained):
    state = torch.load(trained[4] / training.CHECKPOINT, weights_only=True)
    assert state["next_seed"] < training.HELD_OUT_FIRST_SEED


def test_the_contact_sheet_is_a_picture(trained, tmp_path):
    contact_sheet(trained[0], tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.size[0] > 600


def test_an_export_verifies_and_worse_weights_do_not_replace_it(trained, tmp_path):
    network, progress, *_ = trained
    folder = tmp_path / "weights"
    card = export(network, folder, progress=progress, recipe=TINY)
    assert len(weights.verify(folder)) == 64
    assert weights.read_card(folder)["images_seen"] == card["images_seen"] == progress.images
    assert max(path.stat().st_size for path in folder.rglob("*.safetensors")) < 16 * 1024 * 1024

    worse = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in worse.parameters():
            parameter.mul_(3.0)
    before = weights.verify(folder)
    with pytest.raises(WorseWeights, match="Train longer"):
        export(worse, folder, progress=progress, recipe=TINY)
    assert weights.verify(folder) == before
