"""Spaces are built from what a shop has approved, versioned, and walked with the command."""

import io
from dataclasses import replace

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from generation import latent, services
from generation.errors import TooFewDesigns, UnknownLatentSpace
from generation.images import read_indexed_png
from orders import services as orders
from orders import work
from tests.known_designs import drawn, shown
from tests.quick_generator import QuickGenerator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def approved(mill):
    """Five lines of one customer, each approved in a design of its own."""
    candidates = []
    for seed in range(5):
        line, candidate = shown(mill, "Atelier Nord", drawn(seed))
        orders.approve(line, 1, by=None)
        candidates.append(candidate)
    return candidates


def command(*words):
    out = io.StringIO()
    call_command("latent_space", *words, stdout=out)
    return out.getvalue()


def test_a_space_is_built_shown_and_walked(approved, tmp_path):
    assert "nord version 1, 5 designs" in command("build", "nord")
    assert "of what differs" in command("show", "nord")
    kept = latent.found("demo", "nord")
    axis = kept.axes[0]
    out = tmp_path / "there.png"
    said = command(
        "walk",
        "nord",
        "--candidate",
        str(approved[0].pk),
        "--move",
        f"{axis['name']}={axis['most']}",
        "--out",
        str(out),
    )
    assert axis["name"] in said
    there, _ = read_indexed_png(out.read_bytes())
    base = services.raster_of(approved[0].artwork).indices
    assert there.shape == base.shape
    assert 0.001 < (there != base).mean() < 0.9


def test_the_same_designs_make_no_new_version_and_another_design_does(approved, mill):
    command("build", "nord")
    assert "version 1" in command("build", "nord")
    line, _ = shown(mill, "Atelier Nord", drawn(9))
    orders.approve(line, 1, by=None)
    assert "version 2, 6 designs" in command("build", "nord")
    assert latent.found("demo", "nord", version=1).fingerprint != latent.found("demo", "nord").fingerprint


def test_a_moved_design_is_handed_to_the_generator_as_the_one_to_go_on_from(approved, monkeypatch, tmp_path):
    asked = []

    class Listening(QuickGenerator):
        def generate(self, brief, seeds, limits, on_step=None):
            asked.append(brief)
            return super().generate(replace(brief, parents=()), seeds, limits, on_step)

    source = Listening()
    monkeypatch.setattr(work.generation, "generator_named", lambda name: source)
    command("build", "nord")
    axis = latent.found("demo", "nord").axes[0]
    command(
        "walk", "nord", "--candidate", str(approved[0].pk), "--move", f"{axis['name']}=0.5", "--draw", "3",
        "--strength", "0.3", "--out", str(tmp_path / "there.png"),
    )  # fmt: skip
    (brief,) = asked
    assert (len(brief.parents), brief.strength) == (1, 0.3)
    assert not np.array_equal(brief.parents[0].indices, services.raster_of(approved[0].artwork).indices)


def test_what_can_t_be_built_or_found_is_refused_with_the_reason(mill):
    shown(mill, "Atelier Nord", drawn(1))
    with pytest.raises(CommandError, match="too_few_designs"):
        command("build", "nord")
    with pytest.raises(UnknownLatentSpace):
        latent.found("demo", "nord")
    with pytest.raises(TooFewDesigns):
        latent.build("demo", "nord", [])
    with pytest.raises(CommandError, match="unknown_latent_space"):
        command("walk", "nord", "--candidate", "1", "--out", "x.png")


def test_a_step_too_far_and_a_move_that_is_no_number_are_refused(approved, tmp_path):
    command("build", "nord")
    name = latent.found("demo", "nord").axes[0]["name"]
    for move, reason in ((f"{name}=99", "outside_axis"), ("mood=1", "unknown_axis"), (f"{name}=much", "write a move")):
        with pytest.raises(CommandError, match=reason):
            command(
                "walk", "nord", "--candidate", str(approved[0].pk), "--move", move, "--out", str(tmp_path / "x.png")
            )


def test_another_shop_has_none_of_these_spaces(approved):
    command("build", "nord")
    with pytest.raises(UnknownLatentSpace, match="none"):
        latent.found("other", "nord")
