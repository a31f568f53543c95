"""Designs of a large repeat are looked at before they are brought to the size at which they are made."""

import pytest

from generation import services as generation
from generation import storage
from generation.models import Artwork
from orders import flow, services, steps, work, worker
from orders.models import OrderLine, Step
from tests.shop_floor import now

pytestmark = pytest.mark.django_db
WHOLE = (3917, 3916)  # 320 mm at 300 dpi, with what the cloth shrinks


@pytest.fixture
def looks(quick, settings):
    """The demo mill with a generator whose designs can be looked at first; what it has begun is counted from here."""
    generators = {**settings.WEFTLINE["generators"], "looks": "tests.quick_generator.LooksGenerator"}
    settings.WEFTLINE = {**settings.WEFTLINE, "generators": generators}
    quick.generator = "looks"
    quick.save()
    generator = generation.generator_named("looks")
    generator.begun.clear()
    return generator


def asked(shop, side_mm=320):
    wish = services.NewLine(
        words="checks", quantity_m=6, layout="straight", repeat_mm=(side_mm, side_mm), substrate="FAB-COT-SAT",
        due_in_days=30,
    )  # fmt: skip
    return services.place_and_submit(shop, customer="Atelier Nord", lines=[wish], by=None).lines.get()


def sizes(line):
    drawn = line.newest_round.candidates.order_by("position").select_related("artwork")
    return [(each.artwork.width_px, each.artwork.height_px) for each in drawn]


def files():
    """What is in the store, by its digest."""
    return {path.stem for path in (storage.root() / "artworks").rglob("*.png")}


def breaks_off_after(monkeypatch, line, count):
    """The worker is stopped once it has handed over so many pictures."""
    honest, kept = work.keep_drawn, []

    def keeps(line, drawn):
        if len(kept) == count:
            raise KeyboardInterrupt
        honest(line, drawn)
        kept.append(drawn)

    with monkeypatch.context() as patched:
        patched.setattr(work, "keep_drawn", keeps)
        with pytest.raises(KeyboardInterrupt):
            flow.run_step(Step.objects.get(line=line).pk)
    Step.objects.filter(line=line).update(lease_until=steps.database_now())


def test_every_design_can_be_looked_at_before_the_first_is_brought_to_its_size(quick, looks):
    line = asked(quick)
    held = steps.claim(Step.objects.get(line=line, kind="draw").pk)
    seen = []
    for drawn in work.draw(line):
        steps.keep(held, lambda drawn=drawn: work.keep_drawn(line, drawn))
        seen.append(sizes(line))
    small = (1200, 1200)
    assert seen == [[small], [small] * 2, [WHOLE, small], [WHOLE] * 2]
    assert len(looks.begun) == 2, "what was drawn for the look is brought to size, not drawn again"


def test_what_is_checked_priced_and_approved_is_the_whole_design_and_its_look_is_gone(
    quick, looks, django_capture_on_commit_callbacks
):
    line, before = asked(quick), files()
    with django_capture_on_commit_callbacks(execute=True):
        worker.run_until_rest([line])
    line = now(line)
    assert line.state == "proofing"
    assert sizes(line) == [WHOLE] * 2
    first = line.newest_round.candidates.first()
    assert generation.raster_of(first.artwork).indices.shape == (3916, 3917)
    assert Artwork.objects.filter(generator="looks").count() == 2, "no look is left behind"
    assert files() - before <= {each.sha256 for each in Artwork.objects.all()}
    assert work.drawn_in_s(first) is not None


@pytest.mark.parametrize("handed_over", [1, 2, 3])
def test_a_draw_that_broke_off_between_look_and_whole_is_finished_under_the_same_candidates(
    quick, looks, monkeypatch, handed_over
):
    line = asked(quick)
    breaks_off_after(monkeypatch, line, handed_over)
    shown = list(line.newest_round.candidates.order_by("position").values_list("pk", "artwork__seed"))
    worker.run_until_rest([line])
    line = now(line)
    assert line.state == "proofing"
    assert sizes(line) == [WHOLE] * 2
    ended = list(line.newest_round.candidates.order_by("position").values_list("pk", "artwork__seed"))
    assert ended[: len(shown)] == shown


def test_a_repeat_that_is_hardly_larger_than_a_look_is_drawn_at_once(quick, looks):
    line = asked(quick, side_mm=120)
    worker.run_until_rest([line])
    line = now(line)
    assert line.state == "proofing"
    assert not looks.begun
    assert OrderLine.objects.get(pk=line.pk).newest_round.candidates.count() == 2


def test_a_look_that_something_else_still_shows_stays(quick, looks):
    line = asked(quick)
    first, *_ = work.draw(line)
    work.keep_drawn(line, first)
    generation.give_up(first.artwork)
    assert Artwork.objects.filter(pk=first.artwork.pk).exists()
