"""What each step of a line does, app by app: every function here is safe to repeat from any point.

Functions named keep_… write results and run inside the transaction that passes the fence; nothing else here writes to
the story's tables but the progress, which anybody may overwrite.
"""

import copy
import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db.models import Max
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from generation import latent
from generation import services as generation
from generation.domain.pattern import Brief, Knobs, Layout, Raster, Repeat
from generation.models import Artwork
from inventory_sync import services as inventory
from inventory_sync import words
from inventory_sync.ports import Erp
from orders import deciding, exclusivity, names, promising, shades
from orders.domain.asked import asked_of as quantity_asked
from orders.domain.exploring import EXACT, UNDRAWN, Way
from orders.errors import CandidateNotPassed, FileDamaged
from orders.models import Approval, Candidate, OrderLine, Round
from production import services as production
from production.assessment import Assessment
from production.documents.quotation import quotation_pdf
from production.domain.colour import lab_to_srgb
from production.domain.costing import CostBreakdown
from production.domain.finding import Finding, Severity
from production.domain.spec import LineSpec
from production.files import sha256_of
from production.models import JobTicket
from production.planning.promise import PlannedStep
from production.ports import LotUse, Provenance, RenderJob, WrittenFile

HORIZON = timedelta(days=120)
UPLOAD = "upload"  # the generator that takes a picture as it is


# ------------------------------------------------------------------------------------------------ generating


def wanted(brief: Round) -> int:
    """Return how many candidates that can be made a round should have."""
    return 1 if has_one_answer(brief) else int(settings.WEFTLINE["candidates"])


def has_one_answer(brief: Round) -> bool:
    """True for a round that no other seed would answer otherwise."""
    return brief.way in EXACT or brief.generator == UPLOAD


@dataclass(frozen=True)
class Drawn:
    """A design of a round: a look at it, or the whole of it, which takes the place of its look where it had one."""

    artwork: Artwork
    look: Artwork | None = None


def draw(line: OrderLine) -> Iterator[Drawn]:
    """Draw the candidates that the newest round still lacks, store each by its content and hand it over at once.

    People see a look at each before any is brought to the size it is made at; a look that an earlier try left behind
    is brought to it too.
    """
    brief = line.newest_round
    spec = spec_of(line, brief)
    there = brief.candidates.count()
    lacking = wanted(brief) - (there if has_one_answer(brief) else brief.candidates.exclude(passed=False).count())
    looks = [] if has_one_answer(brief) else _looks(brief, spec)
    if lacking < 1 and not looks:
        return
    say(line, f"drawing {lacking} {'design' if lacking == 1 else 'designs'}, 0 %")
    if brief.way == Way.AGAIN:
        assert brief.same_as is not None
        artwork = brief.same_as.artwork
        yield Drawn(generation.resized(artwork, width_px=spec.width_px, height_px=spec.height_px, repeat=spec.repeat))
        return
    if brief.way == Way.RECOLOUR:
        assert brief.same_as is not None
        assert brief.palette is not None
        artwork = generation.recolour(brief.same_as.artwork, brief.palette)
        # The line may have been moved to another cloth since that design was drawn.
        yield Drawn(generation.resized(artwork, width_px=spec.width_px, height_px=spec.height_px, repeat=spec.repeat))
        return
    seeds = [_seed(line, brief, there + number) if brief.seed is None else brief.seed for number in range(lacking)]
    for artwork, look in generation.drawings_soon(
        asked_of(brief, spec),
        seeds=[*(look.seed for look in looks), *seeds],
        limits=spec.limits,
        generator=brief.generator or line.order.shop.generator,
        on_step=lambda done, of: say(line, f"drawing designs, {100 * done // max(of, 1)} %"),
    ):
        yield Drawn(artwork, look)


def _looks(brief: Round, spec: LineSpec) -> list[Artwork]:
    """Return what of a round is there as a look alone."""
    size = (spec.width_px, spec.height_px)
    drawn = [each.artwork for each in brief.candidates.filter(passed=None).select_related("artwork")]
    return [artwork for artwork in drawn if (artwork.width_px, artwork.height_px) != size]


def asked_of(brief: Round, spec: LineSpec) -> Brief:
    """Return what a round asks of a generator, with the pixels of the designs that it goes on from."""
    parents = [each for each in (brief.parent, brief.other_parent) if each is not None]
    # Who goes on from a drawing goes on in its colours; the reference it may once have come from is in it already.
    palette = tuple(brief.palette) if brief.palette and not parents else None
    if palette is not None and brief.palette_name:
        palette = palette[: spec.limits.max_colours]  # a name asks for its colours by role, as many as can be made
    reference = brief.reference_sha256 if not parents else ""
    return Brief(
        words=brief.words,
        repeat=spec.repeat,
        width_px=spec.width_px,
        height_px=spec.height_px,
        palette=palette,
        reference=generation.kept_reference(reference) if reference else None,
        knobs=Knobs(scale=brief.scale, density=brief.density),
        parents=tuple(_gone_on_from(brief, each) for each in parents),
        strength=brief.strength,
        share=brief.share,
        redraw=tuple(brief.redraw),
    )


def _gone_on_from(brief: Round, parent: Candidate) -> Raster:
    """Return a drawing that a round goes on from, moved in the brand's space where that is asked for."""
    raster = generation.raster_of(parent.artwork)
    if brief.way != Way.WALK:
        return raster
    assert brief.walk is not None
    shop = parent.round.line.order.shop
    kept = latent.found(shop.slug, brief.walk["space"], version=brief.walk["version"])
    return latent.walk(kept, raster, brief.walk["amounts"])


def keep_drawn(line: OrderLine, drawn: Drawn) -> None:
    """Add what was drawn to the newest round as a candidate yet to be checked; the same picture twice is one.

    The whole of a design takes its look's place under the candidate that people see already.
    """
    candidates = line.newest_round.candidates
    known = candidates.filter(artwork=drawn.artwork).exists()
    if drawn.look is not None:
        of_look = candidates.filter(artwork=drawn.look)
        if known:
            of_look.delete()
        else:
            of_look.update(artwork=drawn.artwork)
        generation.give_up(drawn.look)
    elif not known:
        last = candidates.aggregate(last=Max("position"))["last"] or 0
        candidates.create(position=last + 1, artwork=drawn.artwork, drawn_at=timezone.now())


@dataclass(frozen=True)
class Checked:
    """A candidate with everything that was found out about it."""

    candidate_id: int
    values: dict[str, Any]


def check(line: OrderLine) -> list[Checked]:
    """Check, measure, price and promise each candidate of the newest round that has not been yet.

    Raises NotEnoughStock or NoSlot when the cloth can't be made whatever it shows.
    """
    brief = line.newest_round
    spec = spec_of(line, brief)
    erp = names.erp_of(line.order.shop)
    checked = []
    waiting = list(brief.candidates.filter(passed=None).select_related("artwork"))
    for number, candidate in enumerate(waiting, start=1):
        say(line, f"checking design {number} of {len(waiting)}")
        raster = generation.raster_of(candidate.artwork)
        found = production.assess(raster, spec=spec)
        alike = exclusivity.findings(line, candidate.artwork, raster)
        values = found_out(erp, line, found, alike, spec=spec, generation_s=drawn_in_s(candidate))
        checked.append(Checked(candidate.pk, values))
    return checked


def found_out(
    erp: Erp,
    line: OrderLine,
    found: Assessment,
    alike: Sequence[Finding],
    *,
    spec: LineSpec,
    generation_s: Decimal | None = None,
    besides: str | None = None,
) -> dict[str, Any]:
    """Return what stands beside a candidate once it is checked: findings, usage, and, where it can be made, its price
    and promise; what is held under the name `besides` counts as free.

    Raises NotEnoughStock or NoSlot when the cloth can't be made whatever it shows.
    """
    values: dict[str, Any] = {
        "findings": [plain(finding) for finding in (*found.findings, *alike)],
        "passed": found.passed and all(finding.severity is not Severity.ERROR for finding in alike),
        "made": [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in lab_to_srgb(found.made_lab)],
        "usage": plain(found.usage),
        "checked_at": timezone.now(),
    }
    if not found.passed:
        return values
    promised = promising.promised(line.order.shop, erp, found, besides=besides or "")
    cost = production.cost(
        found,
        spec=spec,
        stock=promised.stock,
        work_centres=promised.schedule.centres,
        generation_s=generation_s,
        on=timezone.now().astimezone(ZoneInfo(line.order.shop.time_zone)).date(),
    )
    beside = [*promising.late(line, promised.promise), *shades.findings(line, promised.materials, spec)]
    return {
        **values,
        "findings": values["findings"] + [plain(finding) for finding in beside],
        "cost": cost.as_dict(),
        "price": cost.price,
        "price_per_m": cost.price_per_m,
        "currency": cost.currency,
        "promise": promised.promise.date,
        "binding": promised.promise.binding,
    }


def as_drawn(candidate: Candidate) -> Candidate:
    """Return the candidate that was drawn: what a change, or the same for another line, was made from."""
    while candidate.round.way in UNDRAWN:
        assert candidate.round.same_as is not None
        candidate = candidate.round.same_as
    return candidate


def drawn_in_s(candidate: Candidate) -> Decimal | None:
    """Return how long drawing a candidate took: its share of the step that drew it; None: unknown."""
    at = candidate.drawn_at
    step = candidate.round.line.steps.filter(kind="draw", started_at__lte=at, ended_at__gte=at).first()
    if step is None:
        return None
    drawn = candidate.round.candidates.filter(drawn_at__range=(step.started_at, step.ended_at)).count()
    return Decimal(str(round((step.ended_at - step.started_at).total_seconds() / drawn, 1)))


def keep_checked(checked: Sequence[Checked]) -> None:
    """Write what was found out beside each candidate."""
    for each in checked:
        Candidate.objects.filter(pk=each.candidate_id).update(**each.values)


def preview(candidate: Candidate, *, size_px: int, repeats: int) -> bytes:
    """Return a candidate as a PNG, so many repeats each way, in the colours that the cloth will show once checked."""
    colours = tuple(candidate.made) or None
    return generation.preview_png(candidate.artwork, size_px=size_px, columns=repeats, rows=repeats, colours=colours)


def worst_findings(brief: Round) -> list[dict[str, Any]]:
    """Return what kept the candidates from passing, each kind of finding once, the most frequent first."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for candidate in brief.candidates.filter(passed=False):
        for finding in candidate.findings:
            if finding["severity"] == "error":
                kinds.setdefault(finding["code"], []).append(finding)
    return [findings[0] for findings in sorted(kinds.values(), key=len, reverse=True)]


# ------------------------------------------------------------------------------------------------ planning


def plan(line: OrderLine, *, fence: int) -> promising.Held:
    """Plan the newest approval and hold everything it needs. Raises what promising.hold raises."""
    say(line, "holding fabric, inks and machine time")
    return hold(line, newest_approval(line).candidate, fence=fence)


def hold(line: OrderLine, candidate: Candidate, *, fence: int, expires: datetime | None = None) -> promising.Held:
    """Hold all that a candidate needs, for ever or until it expires. Raises what promising.hold raises."""
    spec = run_spec_of(line, candidate.round)
    found = production.assess(_raster_for(candidate, spec), spec=spec)
    return promising.hold(line, found, fence=fence, expires=expires)


# ------------------------------------------------------------------------------------------------ releasing


@dataclass(frozen=True)
class Released:
    """What was written for a job, and verified."""

    job: RenderJob
    files: tuple[WrittenFile, ...]


def release(line: OrderLine) -> Released:
    """Write the machine file, ticket, costing, preview and manifest of the newest approval, each verified.

    Raises HoldChanged when something else is held than was planned, StaleStock when its stock was read too long ago and
    the ERP does not answer, and VerifyFailed when a file, read back by other code, is not what was to be written.
    """
    promising.still_held(line)
    assert line.plan is not None
    inventory.require_fresh(names.erp_of(line.order.shop), [material["sku"] for material in line.plan["materials"]])
    approval = newest_approval(line)
    candidate = approval.candidate
    spec = run_spec_of(line, candidate.round)
    say(line, "writing and verifying print file, ticket and costing")
    raster = _raster_for(candidate, spec)
    found = production.assess(raster, spec=spec)
    promising.enough_held(line, found)
    job = replace(
        _job_of(line, candidate, found, spec),
        **_once_more(line, found, spec),
        revision=approval.number,
        # What the ticket's code opens: the page of its work, which knows by the revision whether the paper is old.
        url=settings.WEFTLINE["public_url"] + reverse("floor-job", args=[names.job_name(approval)]),
        released_at=approval.at,
        promised=moment(line.plan["promise"]),
        binding=line.plan["binding"],
        steps=tuple(
            PlannedStep(s["name"], s["work_centre"], moment(s["start"]), moment(s["end"])) for s in line.plan["slots"]
        ),
        lots=tuple(
            LotUse(m["sku"], m["name"], m["lot"] or "", Decimal(m["quantity"]), m["unit"])
            for m in line.plan["materials"]
        ),
    )
    last = ""

    def tell(code: str, done: int, of: int) -> None:
        nonlocal last
        doing = f"writing and verifying: {code}, {10 * (10 * done // max(of, 1))} %"
        if doing != last:  # a strip is written in milliseconds: who watches needs no more than tenths
            last = doing
            say(line, doing)

    folder = _folder(line, approval.number)
    return Released(job, tuple(production.write_files(raster, job=job, folder=folder, on_progress=tell)))


def quotation(candidate: Candidate) -> tuple[str, bytes]:
    """Return the quotation of a checked candidate as (file name, PDF), with the price and promise it was shown with.

    Raises CandidateNotPassed for one that can't be made, or is not checked yet.
    """
    if not candidate.passed:
        raise CandidateNotPassed(fields={"candidate": candidate.position})
    line = candidate.round.line
    spec = spec_of(line, candidate.round)
    raster = _raster_for(candidate, spec)
    job = _job_of(line, candidate, production.assess(raster, spec=spec), spec)
    return f"{job.reference}-{candidate.round.number}-{candidate.position}-quotation.pdf", quotation_pdf(raster, job)


def _job_of(line: OrderLine, candidate: Candidate, found: Assessment, spec: LineSpec) -> RenderJob:
    """Return a candidate as a job: before an approval nothing is planned, and its revision is the round's number."""
    brief, artwork, shop = candidate.round, candidate.artwork, line.order.shop
    assert candidate.checked_at is not None
    zone = ZoneInfo(shop.time_zone)
    return RenderJob(
        spec=spec,
        assessment=found,
        # The price the customer was shown, not what it would be today.
        cost=CostBreakdown.from_dict(candidate.cost),
        reference=line.reference,
        revision=brief.number,
        released_at=candidate.checked_at,
        shop=shop.name,
        customer=line.order.customer.name,
        order=line.order.number,
        due=line.due_date,
        promised=candidate.promise,
        words=brief.words,
        provenance=Provenance(artwork.sha256, artwork.generator, artwork.fingerprint, artwork.seed),
        tz=shop.time_zone,
        paper=shop.paper,
        design=f"design {brief.number}.{candidate.position}",
        colourway=brief.palette_name,
        binding=candidate.binding,
        valid_until=candidate.checked_at.astimezone(zone).date() + timedelta(days=shop.quotation_days),
        terms=shop.terms,
        asked=quantity_asked(line.asked).words if line.asked else "",
    )


def _raster_for(candidate: Candidate, spec: LineSpec) -> Raster:
    """Return what was approved, as large as the cloth needs it by now.

    A correction of the size (orders/drifting.py) is there so that the next cloth comes out as it was asked: also of
    what was drawn before it, and is only planned, or made once more.
    """
    raster = generation.raster_of(candidate.artwork)
    return generation.at_size(raster, width_px=spec.width_px, height_px=spec.height_px, repeat=spec.repeat)


def _once_more(line: OrderLine, found: Assessment, spec: LineSpec) -> dict[str, Any]:
    """What is otherwise in a job that makes cloth once more: what it costs, and how much of the order it is."""
    if line.run == 1:
        return {}
    erp = names.erp_of(line.order.shop)
    cost = production.cost_once_more(
        found,
        spec=spec,
        stock=inventory.stock_of(erp, [material.sku for material in found.materials]),
        work_centres=inventory.work_centres_of(erp),
        on=names.today(line.order.shop),
    )
    return {"cost": cost, "asked": f"of {words.quantity(line.quantity_m, 'm')}, made once more"}


def keep_released(line: OrderLine, made: Released) -> Any:
    """Number the ticket and register its files."""
    return production.record_release(line.reference, made.job.revision, made.files, made.job)


# ------------------------------------------------------------------------------------------------ shared


@dataclass(frozen=True)
class LineFile:
    """A file of a line's newest ticket."""

    name: str
    format: str
    title: str  # of the kind of file
    path: Path
    sha256: str
    url: str


def files_of(line: OrderLine) -> list[LineFile]:
    """Return the files of the line's newest ticket; none before the first release."""
    ticket = JobTicket.objects.filter(shop=line.order.shop.slug, reference=line.reference).order_by("-revision").first()
    if ticket is None:
        return []
    return [
        LineFile(
            name=(path := Path(file.path)).name,
            format=file.format,
            title=production.title_of(file.format),
            path=path,
            sha256=file.sha256,
            url=reverse("file", args=[line.reference, path.name]),
        )
        for file in ticket.files.order_by("pk")
    ]


def file_named(line: OrderLine, name: str) -> Path:
    """Return a file of the line's newest ticket after reading it once more. Raises Http404, FileDamaged."""
    for file in files_of(line):
        if file.name == name:
            if not file.path.is_file() or sha256_of(file.path) != file.sha256:
                raise FileDamaged(fields={"file": name})
            return file.path
    raise Http404


def specification(line: OrderLine, candidate: Candidate) -> dict[str, Any]:
    """Return everything that an approval says yes to; its digest is the approval's."""
    brief = candidate.round
    return {
        "line": line.reference,
        "artwork_sha256": candidate.artwork.sha256,
        "cloth": line.substrate or line.weave,
        "quantity_m": str(line.quantity_m),
        "layout": brief.layout,
        "repeat_mm": [brief.repeat_width_mm, brief.repeat_height_mm],
        "pixels": [candidate.artwork.width_px, candidate.artwork.height_px],
        "palette": candidate.artwork.palette,
        "price": str(candidate.price),
        "currency": candidate.currency,
    }


def best(line: OrderLine) -> Candidate | None:
    """Return the candidate a hurried customer would take: promised earliest, then fewest warnings, then cheapest.

    One that a designer rejected is none of them.
    """
    passed = [c for c in line.newest_round.candidates.all() if c.passed]
    turned_down = deciding.rejected([candidate.pk for candidate in passed])
    passed = [candidate for candidate in passed if candidate.pk not in turned_down]
    return min(passed, key=_merit, default=None)


def _merit(candidate: Candidate) -> tuple[Any, int, Any, int]:
    warnings = sum(finding["severity"] == "warning" for finding in candidate.findings)
    assert candidate.promise is not None
    return (candidate.promise.date(), warnings, candidate.price, candidate.position)


def newest_approval(line: OrderLine) -> Approval:
    """Return what was said yes to last."""
    return line.approvals.select_related("candidate__round", "candidate__artwork").order_by("-number")[0]


def is_released(approval: Approval) -> bool:
    """True once there is a ticket for it."""
    line = approval.line
    tickets = JobTicket.objects.filter(shop=line.order.shop.slug, reference=line.reference)
    return tickets.filter(revision=approval.number).exists()


def say(line: OrderLine, what: str) -> None:
    """Show what is being done just now, unless the line has moved on."""
    OrderLine.objects.filter(pk=line.pk, state=line.state).update(progress=what)


def plain(value: Any) -> Any:
    """Return dataclasses, times, decimals and numpy numbers as what JSON can hold; money and quantities as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    return value


def moment(text: str) -> datetime:
    """Return a moment of a plan."""
    return datetime.fromisoformat(text)


def spec_of(line: OrderLine, brief: Round) -> LineSpec:
    """Return how the mill would make a round of a line. Raises what production.specify raises."""
    return production.specify(
        line.order.shop.slug,
        substrate=line.substrate or None,
        weave=line.weave or None,
        quantity_m=line.quantity_m,
        repeat=Repeat(brief.repeat_width_mm, brief.repeat_height_mm, Layout(brief.layout)),
        words=brief.words,
        on=names.today(line.order.shop),
    )


def run_spec_of(line: OrderLine, brief: Round) -> LineSpec:
    """Return how the mill makes what the present run of a line makes of a round; see `spec_of`."""
    run = copy.copy(line)
    run.quantity_m = line.making_m
    return spec_of(run, brief)


def _seed(line: OrderLine, brief: Round, number: int) -> int:
    """Return the seed of a candidate: the same line, round and number always give the same design."""
    name = f"{line.order.shop.slug}/{line.reference}/{brief.number}/{number}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def _folder(line: OrderLine, revision: int) -> Path:
    return Path(settings.VAR_DIR) / "store" / "jobs" / line.order.shop.slug / line.reference / f"r{revision}"
