"""Files for any picture, without an order: specified, checked, measured, priced, written and verified."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from generation.domain.pattern import Palette, Repeat
from inventory_sync import services as inventory
from orders import promising
from orders.errors import InvalidOrder, NotYetInStock
from orders.models import Shop
from production import services as production
from production.domain.finding import Finding
from production.ports import LotUse, OnFile, Provenance, RenderJob, WrittenFile, no_progress


@dataclass(frozen=True)
class Wish:
    """What is to be made of a picture."""

    picture: Path
    repeat: Repeat
    length_m: float
    substrate: str | None
    weave: str | None
    machine: str | None
    ink_set: str | None
    formats: tuple[str, ...]
    spots: tuple[str, ...]  # a name for each colour in the palette's order, or "#rrggbb=name"
    words: str  # what people call the design
    reference: str
    revision: int
    customer: str
    at: datetime


@dataclass(frozen=True)
class Made:
    """What came of it."""

    job: RenderJob
    files: tuple[WrittenFile, ...]
    findings: tuple[Finding, ...]  # of reading the picture, and of the design on its cloth


def make_files(shop: Shop, wish: Wish, *, folder: Path, on_progress: OnFile = no_progress) -> Made:
    """Make the files of `wish` in `folder`; nothing is ordered, and nothing is held.

    Raises what `production` and the ERP refuse with: a picture or a repeat that can't be made, a length that no roll
    has, a design with errors, a full disk.
    """
    today = wish.at.astimezone(ZoneInfo(shop.time_zone)).date()
    spec = production.specify(
        shop.slug,
        substrate=wish.substrate,
        weave=wish.weave,
        machine=wish.machine,
        ink_set=wish.ink_set,
        quantity_m=wish.length_m,
        repeat=wish.repeat,
        words=wish.words,
        on=today,
    )
    data = wish.picture.read_bytes()
    on_progress("picture", 0, 1)
    design, read = production.read_picture(data, spec=spec)
    on_progress("picture", 1, 1)
    on_progress("checks", 0, 1)
    assessment = production.assess(design, spec=spec)
    design = assessment.shown or design  # the pixels of a picture in tones are planes now, and large
    on_progress("checks", 1, 1)
    erp = inventory.connect(shop.connector, shop=shop.slug)
    stock = inventory.stock_of(erp, [material.sku for material in assessment.materials])
    planned = promising.materials(assessment, stock, tz=shop.time_zone)
    for each in planned:
        if not each.in_stock:
            fields = {"field": "length_mm", "sku": each.sku, "available_from": each.ready_at.isoformat()}
            raise NotYetInStock(f"{each.sentence}. Make it shorter, or wait for the delivery.", fields=fields)
    job = RenderJob(
        spec=spec,
        assessment=assessment,
        cost=production.cost(
            assessment,
            spec=spec,
            stock=stock,
            work_centres=inventory.work_centres_of(erp),
            on=today,
        ),
        reference=wish.reference,
        revision=wish.revision,
        released_at=wish.at,
        shop=shop.name,
        customer=wish.customer,
        words=wish.words,
        lots=tuple(LotUse(m.sku, m.name, m.lot or "", m.quantity, stock[m.sku].unit) for m in planned),
        provenance=Provenance(hashlib.sha256(data).hexdigest(), "file", wish.words, 0),
        tz=shop.time_zone,
        spots=_spots(wish.spots, assessment.palette),
        paper=shop.paper,
        terms=shop.terms,
    )
    with _whole_or_nothing(folder):
        files = production.write_files(design, job=job, folder=folder, formats=wish.formats, on_progress=on_progress)
    return Made(job, tuple(files), (*read, *assessment.findings))


@contextmanager
def _whole_or_nothing(folder: Path) -> Iterator[None]:
    """Take away what came into `folder` where its making ends early: a file without its manifest can't be verified."""
    before = set(folder.glob("*"))
    try:
        yield
    except BaseException:  # Ctrl-C too
        for path in set(folder.glob("*")) - before:
            path.unlink(missing_ok=True)
        raise


def _spots(named: tuple[str, ...], palette: Palette) -> tuple[str, ...]:
    """Return the names of the spot channels in the palette's order.

    Raises InvalidOrder where colours are named and they are not those of the picture.
    """
    pairs = dict(name.split("=", 1) for name in named if "=" in name)
    if not pairs:
        return named
    names = {colour.strip().lower(): name.strip() for colour, name in pairs.items()}
    if len(pairs) < len(named) or set(names) != set(palette.colours):
        raise InvalidOrder(
            f"The colours of the picture are {', '.join(palette.colours)}: give each of them a name, such as "
            f"{palette.colours[0]}=Ecru.",
            fields={"field": "spots", "measured": ",".join(named), "limit": list(palette.colours)},
        )
    return tuple(names[colour] for colour in palette.colours)
