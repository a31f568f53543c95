"""Going on from a design over HTTP, and watching designs being drawn."""

import json
import threading
import time

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from generation.models import Artwork
from orders import flow, services, steps, watching, work
from orders.models import Candidate, Membership, OrderLine, Role, Step
from tests.quick_generator import COLOURS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def designer(quick):
    user = User.objects.create_user("dora")
    Membership.objects.create(shop=quick, user=user, role=Role.DESIGNER)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def line(quick):
    """A line that is to be drawn."""
    new = services.NewLine(
        words="checks", quantity_m=6, layout="straight", repeat_mm=(64, 64), substrate="FAB-COT-SAT",
        palette=list(COLOURS), due_in_days=30,
    )  # fmt: skip
    return services.place_and_submit(quick, customer="Nord", lines=[new], by=None).lines.get()


@pytest.fixture
def drawn(line):
    """The line in proofing with its two candidates, as if they had been checked."""
    flow.run_step(Step.objects.get(line=line).pk)
    Candidate.objects.update(passed=True, checked_at=timezone.now(), promise=timezone.now(), price=100, currency="EUR")
    Step.objects.update(state="dropped")
    OrderLine.objects.update(state="proofing")
    line.refresh_from_db()
    return line


def explore(client, line, wish):
    address = f"/api/lines/{line.reference}/explore/"
    return client.post(address, json.dumps(wish), content_type="application/json")


def ids(line):
    return [candidate.pk for candidate in line.newest_round.candidates.all()]


def test_a_designer_goes_on_from_a_candidate_and_sees_how_the_round_is_made(designer, drawn):
    first = ids(drawn)[0]
    answer = explore(designer, drawn, {"kind": "more_like_this", "candidates": [first], "strength": 0.4})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    newest = body["rounds"][-1]
    assert body["state"] == "generating"
    assert (newest["way"], newest["parent"], newest["strength"], newest["generator"]) == (
        "more_like_this", first, 0.4, "quick",
    )  # fmt: skip
    candidate = body["rounds"][0]["candidates"][0]
    assert (candidate["origin"], candidate["notes"], candidate["generator"]) == (
        "checks",
        ["Checks were drawn."],
        "quick",
    )
    assert len(candidate["fingerprint"]) == 64


@pytest.mark.parametrize(
    ("wish", "status", "code", "field"),
    [
        ({"candidates": [1]}, 400, "invalid", "kind"),
        ({"kind": "more_like_this"}, 400, "invalid", "candidates"),
        ({"kind": "more_like_this", "candidates": []}, 400, "invalid", "candidates"),
        ({"kind": "more_like_this", "candidates": ["one"]}, 400, "invalid", "candidates"),
        ({"kind": "more_like_this", "candidates": [10**11]}, 404, "unknown_candidate", "candidates"),
        ({"kind": "diffuse", "candidates": ["FIRST"]}, 400, "invalid_order", "kind"),
        ({"kind": "interpolate", "candidates": ["FIRST", "FIRST"]}, 400, "invalid_order", "candidates"),
        ({"kind": "more_like_this", "candidates": ["FIRST"], "strength": 2}, 400, "invalid_brief", "strength"),
        ({"kind": "more_like_this", "candidates": ["FIRST"], "strength": float("nan")}, 400, "parse_error", None),
        ({"kind": "more_like_this", "candidates": ["FIRST"], "strength": "nan"}, 400, "invalid", "strength"),
        ({"kind": "more_like_this", "candidates": ["FIRST"], "generator": "x"}, 400, "unknown_generator", "generator"),
        ({"kind": "more_like_this", "candidates": ["FIRST"], "mood": "x"}, 400, "invalid", "mood"),
        ({"kind": "resize", "candidates": ["FIRST"], "knobs": {"scale": 9}}, 400, "invalid_brief", "scale"),
        ({"kind": "resize", "candidates": ["FIRST"], "knobs": {"width": 9}}, 400, "invalid", "knobs.width"),
        ({"kind": "redraw", "candidates": ["FIRST"], "colours": [7]}, 400, "invalid_brief", "redraw"),
        ({"kind": "redraw", "candidates": ["FIRST"], "colours": [-1]}, 400, "invalid", "colours"),
        ({"kind": "recolour", "candidates": ["FIRST"], "palette": ["red"]}, 400, "invalid_brief", "palette"),
        ({"kind": "recolour", "candidates": ["FIRST"], "palette": "no such"}, 400, "unknown_palette", "palette"),
        ({"kind": "reword", "candidates": ["FIRST"], "words": "x" * 501}, 400, "invalid", "words"),
    ],
)
def test_what_can_t_be_gone_on_with_is_refused_with_field_and_sentence(designer, drawn, wish, status, code, field):
    first = ids(drawn)[0]
    wish = {**wish, "candidates": [first if each == "FIRST" else each for each in wish.get("candidates", [])]} if (
        "candidates" in wish
    ) else wish  # fmt: skip
    answer = explore(designer, drawn, wish)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    if field:
        assert body["fields"]["field"].startswith(field)
    if code == "invalid_brief":
        assert {"limit", "value", "remedy"} <= set(body["fields"])
    assert drawn.rounds.count() == 1


def test_too_many_words_are_refused_with_how_many_there_are_and_may_be(designer, drawn):
    answer = explore(designer, drawn, {"kind": "reword", "candidates": ids(drawn)[:1], "words": "x" * 612})
    assert "612 characters long; 500 are read" in answer.json()["message"]


def test_the_ways_of_going_on_are_described_with_an_example_each(designer):
    schema = designer.get("/api/schema/?format=json").json()
    described = schema["paths"]["/api/lines/{reference}/explore/"]["post"]["requestBody"]["content"]["application/json"]
    kinds = {example["value"]["kind"] for example in described["examples"].values()}
    assert kinds == {"more_like_this", "reword", "interpolate", "redraw", "resize", "recolour", "walk"}
    assert (
        "text/event-stream"
        in (schema["paths"]["/api/lines/{reference}/designs/stream/"]["get"]["responses"]["200"]["content"])
    )


def watch(client, line):
    answer = client.get(f"/api/lines/{line.reference}/designs/stream/", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/event-stream"
    return answer


def events(text):
    """(name, data) of every event in a stream."""
    found = []
    for block in text.split("\n\n"):
        said = dict(row.split(": ", 1) for row in block.splitlines() if not row.startswith(":"))
        if "event" in said:
            found.append((said["event"], json.loads(said["data"])))
    return found


def test_a_line_that_is_not_being_drawn_is_told_at_once_and_the_stream_ends(designer, drawn):
    told = events(watch(designer, drawn).getvalue().decode())
    assert [name for name, _ in told] == ["progress", "candidate", "checked", "candidate", "checked", "end"]
    candidate = told[1][1]
    assert designer.get(candidate["preview"]).status_code == 200
    assert (candidate["origin"], candidate["notes"]) == ("checks", ["Checks were drawn."])
    assert told[-1][1] == {"state": "proofing", "over": True}


def test_the_first_design_is_seen_while_the_second_is_drawn_and_the_stream_ends_when_all_are_checked(
    designer, line, monkeypatch
):
    """A worker beside the watcher draws the second design only once the first has been seen."""
    seen, moments = threading.Event(), {}
    honest = work.keep_drawn

    def slowly(line, artwork):
        if line.newest_round.candidates.exists():
            assert seen.wait(30), "the first was not seen before the second was there"
        honest(line, artwork)
        moments.setdefault("kept", time.monotonic())

    monkeypatch.setattr(work, "keep_drawn", slowly)

    def worked():
        try:
            flow.run_step(Step.objects.get(line=line, kind="draw").pk)
            flow.run_step(Step.objects.get(line=line, kind="check").pk)
        finally:
            connection.close()

    worker = threading.Thread(target=worked)
    answer = watch(designer, line)
    worker.start()
    told = []
    for part in answer.streaming_content:
        told += events(part.decode())
        if told and told[-1][0] == "candidate":
            moments.setdefault("seen", time.monotonic())
            seen.set()
    worker.join(30)
    names = [name for name, _ in told if name != "progress"]
    assert names[0] == "candidate"  # one look may find the second drawn and the first checked
    assert sorted(names[:-1]) == ["candidate", "candidate", "checked", "checked"]
    assert names[-1] == "end"
    assert told[-1][1]["state"] == "proofing"
    assert moments["kept"] < moments["seen"]
    drawn = [data["drawn"] for name, data in told if name == "progress"]
    assert drawn == sorted(drawn)


def test_a_stream_has_an_end_even_when_nothing_happens(designer, line, monkeypatch):
    monkeypatch.setattr(watching, "AT_MOST_S", 0.4)
    monkeypatch.setattr(watching, "SAY_SOMETHING_EVERY_S", 0.1)
    text = watch(designer, line).getvalue().decode()
    assert events(text)[-1] == ("end", {"state": "generating", "over": False})
    assert ": still drawing" in text


def test_there_are_seats_for_a_few_and_who_goes_gives_the_seat_back(designer, line, monkeypatch, settings):
    monkeypatch.setattr(watching, "AT_MOST_S", 0.0)
    sitting = [watch(designer, line) for _ in range(settings.WEFTLINE["watchers"])]
    answer = designer.get(f"/api/lines/{line.reference}/designs/stream/", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.json()["code"]) == (503, "no_seat")
    sitting.pop().close()  # without a byte read
    watch(designer, line).getvalue()
    for each in sitting:
        each.getvalue()
    assert watching._seats._value == settings.WEFTLINE["watchers"]


def test_asking_only_for_the_head_takes_no_seat(designer, line, settings):
    assert designer.head(f"/api/lines/{line.reference}/designs/stream/").status_code == 200
    assert watching._seats._value == settings.WEFTLINE["watchers"]


def test_the_page_shows_designs_as_they_come_by_a_script_of_its_own(designer, line):
    page = designer.get(f"/lines/{line.reference}/").content.decode()
    assert f'data-stream="/api/lines/{line.reference}/designs/stream/"' in page
    assert 'src="/static/orders/line.js" defer' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "<script>" not in page
    assert "new EventSource" in designer.get("/static/orders/line.js").getvalue().decode()


def test_a_designer_goes_on_from_the_page_and_is_told_what_can_t_be(designer, drawn):
    address, first = f"/lines/{drawn.reference}/", ids(drawn)[0]
    page = designer.get(address).content.decode()
    assert "Checks were drawn." in page
    assert page.count('value="more_like_this"') == 1
    wrong = {"kind": "recolour", "candidates": first, "palette": "#ffffff #ffffff #000000"}
    assert "Two of the colours are the same" in designer.post(f"{address}explore/", wrong, follow=True).content.decode()
    designer.post(f"{address}explore/", {"kind": "resize", "candidates": first, "scale": "1,5", "density": "1"})
    drawn.refresh_from_db()
    assert (drawn.state, drawn.newest_round.scale, drawn.newest_round.way) == ("generating", 1.5, "resize")
    assert drawn.newest_round.seed == Artwork.objects.get(candidate=first).seed


@pytest.mark.parametrize(
    ("typed", "way"),
    [
        ({"kind": "interpolate"}, "interpolate"),
        ({"kind": "redraw", "colours": ["1", "2"]}, "redraw"),
        ({"kind": "recolour", "palette": "indigo"}, "recolour"),
        ({"kind": "more_like_this", "strength": "0.25"}, "more_like_this"),
    ],
)
def test_each_form_of_the_page_is_understood(designer, drawn, typed, way):
    chosen = ids(drawn) if way == "interpolate" else ids(drawn)[:1]
    designer.post(f"/lines/{drawn.reference}/explore/", {**typed, "candidates": chosen})
    assert drawn.newest_round.way == way


def test_a_step_kept_in_part_stays_open(line):
    held = steps.claim(Step.objects.get(line=line).pk)
    artwork = next(work.draw(line))
    steps.keep(held, lambda: work.keep_drawn(line, artwork))
    assert Step.objects.get(line=line).state == "running"
    assert len(ids(line)) == 1
