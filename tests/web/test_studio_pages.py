"""The studio, as a person who is logged in sees it."""

import io
import json
import re
from datetime import timedelta

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from generation import likeness
from generation import services as generation
from orders import services, spaces, worker
from orders.models import AuditEvent, Customer, Decision, HumanEdit, OrderLine, Role, Shop
from tests.known_designs import drawn, shown
from tests.people import signed_in
from tests.shop_floor import now, placed

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(mill):
    return signed_in(mill, Role.DESIGNER, "dora")


@pytest.fixture
def line(mill):
    """A line in proofing with one design that took no model."""
    return shown(mill, "Atelier Nord", drawn(1))[0]


def first(line):
    return line.newest_round.candidates.get(position=1)


def page_of(client, line):
    answer = client.get(f"/studio/{line.reference}/")
    assert answer.status_code == 200
    return answer.content.decode()


def decide(client, line, verdict, *, reasons=(), words="", seen=0):
    typed = {"candidate": first(line).pk, "verdict": verdict, "reasons": list(reasons), "words": words, "seen": seen}
    return client.post(f"/studio/{line.reference}/decide/", typed)


def test_the_queue_shows_what_waits_and_how_much_is_decided(dora, mill, line):
    soon, _ = shown(mill, "Maison Sud", drawn(2))
    OrderLine.objects.filter(pk=soon.pk).update(due_date=timezone.localdate() + timedelta(days=2), priority=10)
    page = dora.get("/studio/").content.decode()
    assert page.index(soon.reference) < page.index(line.reference)
    assert "0 of 1" in page
    assert "rush" in page
    decide(dora, line, "reject", reasons=["busy"])
    waiting = dora.get("/studio/?show=rejected").content.decode()
    assert line.reference in waiting
    assert soon.reference not in waiting
    assert "all rejected" in waiting
    assert line.reference not in dora.get("/studio/?words=sud").content.decode()


def test_an_accepted_line_leaves_the_queue_of_what_waits(dora, line):
    decide(dora, line, "accept", reasons=["fits_brief"])
    assert "Nothing waits to be reviewed" in dora.get("/studio/").content.decode()
    assert line.reference in dora.get("/studio/?show=accepted").content.decode()


@pytest.mark.parametrize("query", ["show=nothing", "order=x", "page=0", "page=999999999", "words=%00", "page=abc"])
def test_an_address_written_by_hand_shows_the_queue_all_the_same(dora, query):
    assert dora.get(f"/studio/?{query}").status_code == 200


def test_the_filters_are_answered_with_the_list_alone(dora, line):
    answer = dora.get("/studio/?show=all", headers={"HX-Request": "true"}).content.decode()
    assert line.reference in answer
    assert "<html" not in answer


def test_a_rejection_says_why_and_the_page_offers_to_draw_again(dora, line):
    answer = decide(dora, line, "reject", reasons=["motif_cut"], words="the crown is lost")
    assert answer.status_code == 302
    page = page_of(dora, line)
    assert "a motif is cut" in page
    assert "the crown is lost" in page
    assert "All designs of this round are rejected" in page
    assert Decision.objects.get().by.username == "dora"


def test_a_rejection_without_a_reason_is_refused_and_what_was_typed_stays(dora, line):
    answer = decide(dora, line, "reject")
    assert answer.status_code == 400
    assert "Why is it rejected?" in answer.content.decode()
    answer = decide(dora, line, "accept", reasons=["busy"], words="rather full")
    page = answer.content.decode()
    assert "rather full" in page
    assert re.search(r'value="busy" checked', page)
    assert not Decision.objects.exists()


def test_the_second_of_two_designers_sees_what_the_first_decided_and_nothing_is_kept_twice(dora, mill, line):
    emil = signed_in(mill, Role.DESIGNER, "emil")
    assert decide(dora, line, "reject", reasons=["busy"]).status_code == 302
    answer = decide(emil, line, "accept", words="good as it is")
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "dora has rejected this design meanwhile (too busy)" in page
    assert "good as it is" in page
    assert decide(dora, line, "reject", reasons=["busy"]).status_code == 302  # pressed twice: kept once
    assert Decision.objects.count() == 1
    assert decide(emil, line, "accept", seen=Decision.objects.get().pk).status_code == 302
    assert Decision.objects.count() == 2


def test_only_designers_decide_and_sales_can_look(mill, line):
    anna = signed_in(mill, Role.SALES, "anna")
    assert "Accept</button>" not in page_of(anna, line)
    assert decide(anna, line, "accept").status_code == 403
    assert not Decision.objects.exists()


def test_another_shop_s_designs_are_not_found(line):
    other = Shop.objects.create(slug="other", name="Another mill")
    stranger = signed_in(other, Role.ADMIN, "stranger")
    candidate = first(line)
    for address in ("", f"{candidate.pk}/near/", f"{candidate.pk}/provenance.pdf", f"{candidate.pk}/coloured.png"):
        assert stranger.get(f"/studio/{line.reference}/{address}").status_code == 404
    assert decide(stranger, line, "accept").status_code == 404
    assert stranger.post(f"/studio/{line.reference}/nonsense/").status_code == 404


def test_a_candidate_of_another_line_is_not_decided_through_this_one(dora, mill, line):
    other, candidate = shown(mill, "Maison Sud", drawn(2))
    typed = {"candidate": candidate.pk, "verdict": "accept", "seen": 0}
    assert dora.post(f"/studio/{line.reference}/decide/", typed).status_code == 404
    assert not Decision.objects.exists()
    assert other.state == "proofing"


def test_the_nearest_designs_of_the_shop_stand_side_by_side_and_no_other_customer_is_named(dora, mill, line):
    sold, _ = shown(mill, "Maison Sud", drawn(1, turned=True))
    services.approve(sold, 1, by=None)
    page = dora.get(f"/studio/{line.reference}/{first(line).pk}/near/").content.decode()
    assert "nearly the same" in page
    assert "sold to another customer" in page
    assert "Maison Sud" not in page
    assert sold.order.number not in page
    assert "No training pictures are indexed" in page
    anna = signed_in(mill, Role.SALES, "anna")
    assert sold.order.number in anna.get(f"/studio/{line.reference}/{first(line).pk}/near/").content.decode()


def test_a_design_of_another_shop_is_no_neighbour(dora, line):
    other = Shop.objects.create(slug="other", name="Another mill")
    order = OrderLine.objects.get(pk=line.pk).order
    order.pk, order.shop = None, other
    order.customer = Customer.objects.create(shop=other, name="Their customer")
    order.save()
    theirs = OrderLine.objects.get(pk=line.pk)
    theirs.pk, theirs.order, theirs.reference = None, order, "WL-OTHER-1"
    theirs.save()
    brief = theirs.rounds.create(number=1, words="x", layout="straight", repeat_width_mm=80, repeat_height_mm=80)
    brief.candidates.create(position=1, artwork=drawn(1, turned=True), drawn_at=timezone.now())
    page = dora.get(f"/studio/{line.reference}/{first(line).pk}/near/").content.decode()
    assert "There is no other design of this shop yet" in page


def test_a_design_is_seen_in_other_colours_before_they_are_asked_for(dora, line):
    address = f"/studio/{line.reference}/{first(line).pk}/coloured.png"
    palette = first(line).artwork.palette
    other = ["#ff0000", *palette[1:]]
    pictures = []
    for colours in (palette, other):
        answer = dora.get(f"{address}?c={'-'.join(colour[1:] for colour in colours)}")
        assert answer.status_code == 200
        pictures.append(cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR))
    assert (pictures[0] != pictures[1]).any()
    assert dora.get(f"{address}?c=ff0000").status_code == 400
    assert dora.get(f"{address}?c=zz-00").status_code == 400


def test_a_training_picture_is_drawn_again_for_who_designs_and_one_that_is_not_indexed_is_not(
    dora, mill, line, settings, tmp_path
):
    assert dora.get("/studio/training/1.png").status_code == 404
    settings.VAR_DIR = tmp_path
    likeness.index_training(2)
    answer = dora.get("/studio/training/1.png")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert dora.get("/studio/training/2.png").status_code == 404
    assert signed_in(mill, Role.OPERATOR, "otto").get("/studio/training/1.png").status_code == 403
    again, candidate = shown(mill, "Atelier Nord", drawn(3))  # its file lies where the pictures are indexed
    page = dora.get(f"/studio/{again.reference}/{candidate.pk}/near/").content.decode()
    assert "Compared with 2 training pictures" in page
    assert "/studio/training/" in page


def test_the_provenance_sheet_is_a_pdf_of_the_shop_s_paper(dora, mill, line):
    Shop.objects.filter(pk=mill.pk).update(paper="Letter")
    decide(dora, line, "reject", reasons=["busy"])
    answer = dora.get(f"/studio/{line.reference}/{first(line).pk}/provenance.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF")


# ---------------------------------------------------------------------------------------------- drawing again


@pytest.fixture
def checks(quick):
    """A line with two designs that the quick generator drew."""
    return placed(quick)


def test_new_words_and_a_locked_palette_make_a_new_round_with_exactly_these_colours(dora, checks):
    candidate = first(checks)
    answer = dora.post(
        f"/studio/{checks.reference}/again/",
        {"words": "wider checks", "lock": candidate.pk, "version": checks.version},
    )
    assert answer.status_code == 302
    worker.run_until_rest([checks])
    brief = now(checks).newest_round
    assert (brief.number, brief.words, brief.palette) == (2, "wider checks", candidate.artwork.palette)
    assert {tuple(each.artwork.palette) for each in brief.candidates.all()} == {tuple(candidate.artwork.palette)}
    edit = HumanEdit.objects.get(round=brief)
    assert (edit.what, edit.by.username, edit.of) == ("lock", "dora", candidate)
    assert AuditEvent.objects.filter(line=checks, action="revise", actor="dora").exists()


def test_a_page_from_before_draws_nothing(dora, checks):
    stale = {"words": "wider", "version": checks.version}
    OrderLine.objects.filter(pk=checks.pk).update(version=checks.version + 1)
    answer = dora.post(f"/studio/{checks.reference}/again/", stale)
    assert answer.status_code == 409
    assert "wider" in answer.content.decode()
    assert checks.rounds.count() == 1


def test_colours_are_given_by_role_and_kept_as_an_edit(dora, checks):
    candidate = first(checks)
    colours = ["#ffffff", "#112233", "#445566"][: len(candidate.artwork.palette)]
    typed = {"candidate": candidate.pk, "colour": colours, "version": checks.version}
    assert dora.post(f"/studio/{checks.reference}/recolour/", typed).status_code == 302
    worker.run_until_rest([checks])
    (coloured,) = now(checks).newest_round.candidates.all()
    assert coloured.artwork.palette == colours
    edit = HumanEdit.objects.get()
    assert (edit.what, edit.details["palette"], edit.by.username) == ("recolour", colours, "dora")
    assert "recoloured" in page_of(dora, checks)


def edited(candidate, *, spoilt=False):
    """The design's own repeat with a disc painted into its middle; spoilt: cut so that it does not close."""
    raster = generation.raster_of(candidate.artwork)
    rgb = np.ascontiguousarray(raster.palette.rgb()[raster.indices])
    height, width = rgb.shape[:2]
    cv2.circle(rgb, (width // 2, height // 2), min(width, height) // 6, raster.palette.rgb()[1].tolist(), -1)
    if spoilt:
        rgb = np.random.default_rng(1).integers(0, 255, rgb.shape, np.uint8)
        rgb = cv2.GaussianBlur(rgb, (0, 0), 9)
        rgb[:, : width // 2] //= 3
    return cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()


def bring(client, line, data, name="edited.png", **typed):
    typed = {"candidate": first(line).pk, "version": line.version, **typed}
    return client.post(f"/studio/{line.reference}/upload/", {**typed, "picture": SimpleUploadedFile(name, data)})


def test_an_edited_file_becomes_a_round_of_its_own_with_its_author(dora, checks):
    before = first(checks)
    assert bring(dora, checks, edited(before), author="Ida Nielsen").status_code == 302
    worker.run_until_rest([checks])
    fresh = now(checks)
    assert fresh.state == "proofing", fresh.blocked
    (brought,) = fresh.newest_round.candidates.all()
    assert brought.artwork.generator == "upload"
    assert brought.artwork.sha256 != before.artwork.sha256
    edit = HumanEdit.objects.get()
    assert (edit.what, edit.by.username, edit.details["author"]) == ("upload", "dora", "Ida Nielsen")
    assert edit.details["file"] == "edited.png"
    page = page_of(dora, fresh)
    assert "edited file uploaded" in page
    assert "Ida Nielsen" in page


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "Choose another"),
        (b"no picture at all", "be read"),
        (cv2.imencode(".png", np.zeros((30, 30_000, 3), np.uint8))[1].tobytes(), "Send exactly one repeat"),
        (cv2.imencode(".png", np.zeros((6400, 6400, 3), np.uint8))[1].tobytes(), "40 megapixels"),
    ],
    ids=["empty", "malformed", "30000 px", "too large"],
)
def test_a_file_that_can_t_be_taken_is_refused_in_a_sentence_and_nothing_is_drawn(dora, line, data, why):
    answer = bring(dora, line, data, author="Ida Nielsen")
    assert answer.status_code == 400
    page = answer.content.decode()
    assert why in page
    assert "Ida Nielsen" in page
    assert line.rounds.count() == 1


def test_a_file_that_does_not_meet_itself_is_refused_before_anything_is_drawn(dora, line):
    candidate = first(line)
    answer = bring(dora, line, edited(candidate, spoilt=True))
    assert answer.status_code == 409
    assert "does not meet itself" in answer.content.decode()
    assert now(line).state == "proofing"


def test_an_upload_without_a_file_is_said(dora, line):
    answer = dora.post(f"/studio/{line.reference}/upload/", {"candidate": first(line).pk, "version": line.version})
    assert answer.status_code == 400


# ---------------------------------------------------------------------------------------------- spaces


@pytest.fixture
def space(mill):
    """A space of five approved designs."""
    for seed in range(5):
        approved, _ = shown(mill, "Atelier Nord", drawn(seed))
        services.approve(approved, 1, by=None)
    while isinstance(built := spaces.build(mill, name="nord", customer="Atelier Nord", by=None), spaces.Standing):
        continue
    return built


def test_with_too_few_designs_no_space_is_built_and_it_is_said(dora, line):
    assert "No space yet" in dora.get("/studio/spaces/").content.decode()
    answer = dora.post("/studio/spaces/", {"name": "nord", "customer": ""})
    assert answer.status_code == 409
    assert "too few" in answer.content.decode()


def test_a_space_is_built_in_steps_that_tell_how_far_they_have_come(dora, mill):
    for seed in range(5):
        approved, _ = shown(mill, "Atelier Nord", drawn(seed))
        services.approve(approved, 1, by=None)
    told = []
    for _ in range(9):
        answer = dora.post("/studio/spaces/", {"name": "nord"}, headers={"HX-Request": "true"})
        if "HX-Redirect" in answer:
            break
        told += re.findall(r"(\d) of 5 designs are read", answer.content.decode())
    assert told == ["2", "4"]
    page = dora.get(answer["HX-Redirect"]).content.decode()
    assert "version 1, 5 designs" in page
    assert AuditEvent.objects.filter(action="build space", actor="dora").count() == 1


def test_a_map_shows_the_approved_designs_and_the_line_s_own(dora, mill, space):
    line, _ = shown(mill, "Atelier Nord", drawn(9))
    answer = dora.get(f"/studio/spaces/{space.pk}/?line={line.reference}")
    data = json.loads(re.search(r'id="map-data" type="application/json">(.*?)</script>', answer.content.decode())[1])
    assert [spot["own"] for spot in data["spots"]] == [False] * 5 + [True]
    assert all(len(spot["places"]) == len(data["axes"]) for spot in data["spots"])
    for number, axis in enumerate(data["axes"]):
        approved = [spot["places"][number] for spot in data["spots"][:5]]
        assert axis["farthest"][0] <= min(approved)
        assert axis["farthest"][1] >= max(approved)


def test_a_design_is_looked_at_where_it_is_moved_to_and_not_farther_than_is_allowed(dora, mill, space):
    candidate = first(shown(mill, "Atelier Nord", drawn(9))[0])
    look = f"/studio/spaces/{space.pk}/look.png?candidate={candidate.pk}"
    still = dora.get(f"{look}&axis0=0")
    most = space.axes[0]["most"]
    moved = dora.get(f"{look}&axis0={most}")
    assert (still.status_code, moved.status_code) == (200, 200)
    assert still.content != moved.content
    assert dora.get(f"{look}&axis0=99").status_code == 400
    assert dora.get(f"{look}&axis0=nan").status_code == 400
    typed = {"axis": space.axes[0]["name"], "called": "Bloom", "least": "-0,2", "most": "0.3"}
    assert dora.post(f"/studio/spaces/{space.pk}/axis/", typed).status_code == 302
    answer = dora.get(f"{look}&axis0={most}")
    assert answer.status_code == 400
    assert "Bloom can be moved from -0.2 to 0.3, as far as the brand allows" in answer.content.decode()
    page = dora.get(f"/studio/spaces/{space.pk}/").content.decode()
    assert "Bloom" in page
    assert 'max="0.30"' in page


def test_bounds_beyond_the_approved_designs_and_a_name_twice_are_refused(dora, space):
    name = space.axes[0]["name"]
    far = dora.post(f"/studio/spaces/{space.pk}/axis/", {"axis": name, "least": "-99", "most": "0"})
    assert far.status_code == 400
    assert "with 0 among it" in far.content.decode()
    twice = dora.post(f"/studio/spaces/{space.pk}/axis/", {"axis": name, "called": space.axes[1]["name"]})
    assert twice.status_code == 400
    assert dora.post(f"/studio/spaces/{space.pk}/axis/", {"axis": "mood", "called": "x"}).status_code == 400


def test_what_was_named_and_bounded_goes_over_to_the_next_version(dora, mill, space):
    name = space.axes[0]["name"]
    dora.post(f"/studio/spaces/{space.pk}/axis/", {"axis": name, "called": "Bloom", "least": "-0.1", "most": "0.1"})
    one_more, _ = shown(mill, "Atelier Nord", drawn(7))
    services.approve(one_more, 1, by=None)
    while isinstance(built := spaces.build(mill, name="nord", customer="", by=None), spaces.Standing):
        continue
    assert built.version == 2
    same = [axis for axis in built.axes if axis["name"] == name]
    assert all((axis["called"], list(axis["allowed"])) == ("Bloom", [-0.1, 0.1]) for axis in same)


def test_a_line_that_can_t_be_one_is_not_found(dora, space):
    assert dora.get(f"/studio/spaces/{space.pk}/?line=no%00thing").status_code == 404


def test_another_shop_s_space_is_not_found(space):
    other = Shop.objects.create(slug="other", name="Another mill")
    stranger = signed_in(other, Role.ADMIN, "stranger")
    for address in ("", "look.png?candidate=1"):
        assert stranger.get(f"/studio/spaces/{space.pk}/{address}").status_code == 404
    for verb in ("axis", "draw"):
        assert stranger.post(f"/studio/spaces/{space.pk}/{verb}/", {"axis": "density"}).status_code == 404


# ---------------------------------------------------------------------------------------------- what was learnt


def test_what_was_decided_is_counted_by_reason_and_downloaded_as_pairs(dora, checks):
    one, two = checks.newest_round.candidates.order_by("position")
    for candidate, verdict, reasons in ((one, "accept", ["fresh"]), (two, "reject", ["busy", "seam"])):
        typed = {"candidate": candidate.pk, "verdict": verdict, "reasons": reasons, "seen": 0}
        assert dora.post(f"/studio/{checks.reference}/decide/", typed).status_code == 302
    page = dora.get("/studio/learned/?by=generator").content.decode()
    assert "too busy" in page
    assert "quick" in page
    answer = dora.get("/studio/learned/decisions.jsonl")
    assert "attachment" in answer["Content-Disposition"]
    rows = [json.loads(each) for each in io.BytesIO(answer.getvalue()).read().decode().splitlines()]
    assert [row["type"] for row in rows] == ["decision", "decision", "pair"]
    assert rows[2]["chosen"]["sha256"] == one.artwork.sha256
    assert rows[2]["rejected"]["sha256"] == two.artwork.sha256
    assert rows[2]["reasons"] == ["busy", "seam"]


def test_before_anything_is_decided_the_page_says_what_will_be_learnt(dora):
    assert "Nothing was decided yet" in dora.get("/studio/learned/").content.decode()
    assert dora.get("/studio/learned/?by=nonsense").status_code == 200
