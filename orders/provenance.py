"""Where a design comes from, gathered for its sheet: drawing, model, neighbours, decisions, edits, rights."""

from typing import Any

from django.utils import timezone, translation

from generation import likeness
from generation import services as generation
from generation.domain.uniqueness import SAME_DESIGN
from generation.models import ModelCard
from orders import authorship, deciding, exclusivity, work
from orders.domain.exploring import Way
from orders.models import Candidate
from production.documents.provenance import Colour, Entry, Near, Provenance, provenance_pdf

NEAREST = 4
_PICTURE_PX = 256
ROLES = ("Ground", "Main motif", "Second motif", "Accent", "Detail", "Sixth", "Seventh", "Eighth")


def sheet(candidate: Candidate) -> tuple[str, bytes]:
    """Return a design's provenance sheet as (file name, PDF). Raises ArtworkMissing."""
    line = candidate.round.line
    name = f"{line.reference}-{candidate.round.number}-{candidate.position}-provenance.pdf"
    with translation.override("en-gb"):  # documents are English, whoever asks for them
        return name, provenance_pdf(generation.raster_of(candidate.artwork), gathered(candidate))


def gathered(candidate: Candidate) -> Provenance:
    """Return all that is known of where a design comes from. Raises ArtworkMissing."""
    brief, artwork = candidate.round, candidate.artwork
    line = brief.line
    shop = line.order.shop
    archive = exclusivity.nearest(line, artwork, count=NEAREST)
    training = likeness.nearest_training_of(artwork, NEAREST)
    made = candidate.made or artwork.palette
    roles = artwork.roles or list(range(len(artwork.palette)))
    return Provenance(
        shop=shop.name,
        reference=line.reference,
        design=f"design {brief.number}.{candidate.position}",
        customer=line.order.customer.name,
        words=brief.words,
        issued=timezone.now(),
        tz=shop.time_zone,
        paper=shop.paper,
        sha256=artwork.sha256,
        colours=[
            Colour(ROLES[role] if role < len(ROLES) else "Further", drawn, on_cloth)
            for role, drawn, on_cloth in zip(roles, artwork.palette, made, strict=True)
        ],
        drawing=[
            ("Made by", artwork.generator),
            ("Fingerprint", artwork.fingerprint),
            ("Seed", str(artwork.seed)),
            ("Origin", artwork.origin or "not told"),
            ("Asked for", brief.way_in_words if brief.way != Way.WORDS else "from the words"),
            ("Order placed by", _placed_by(candidate)),
        ],
        model=_model(artwork.fingerprint),
        archive=[Near(_near_in_words(each), each.likeness, _picture(each.candidate)) for each in archive.nearest],
        archive_size=archive.compared,
        training=[
            Near(
                f"seed {each.seed}, {each.called}",
                each.likeness,
                likeness.training_picture(each.seed, size_px=_PICTURE_PX),
            )
            for each in training.nearest
        ],
        training_size=training.compared,
        same_from=SAME_DESIGN,
        decisions=[
            Entry(
                each.at,
                each.by.get_username() if each.by else "",
                "accepted" if each.accepted else "rejected",
                "; ".join(filter(None, [*deciding.reasons_in_words(each), each.words])),
            )
            for each in candidate.decisions.select_related("by")
        ],
        edits=[
            Entry(each.at, authorship.who(each), str(authorship.CALLED.get(each.what, each.what)), _said(each))
            for each in authorship.edits_of(candidate)
        ],
        rights=_rights(candidate),
        notes=artwork.notes,
    )


def _said(edit: Any) -> str:
    return f"round {edit.round.number}: {authorship.in_words(edit)}".removesuffix(": ")


def _placed_by(candidate: Candidate) -> str:
    order = candidate.round.line.order
    who = order.created_by.get_username() if order.created_by else "not told"
    return f"{who}, {order.created_at:%Y-%m-%d}"


def _picture(candidate: Candidate) -> Any:
    return generation.read_reference(work.preview(candidate, size_px=_PICTURE_PX, repeats=1))


def _near_in_words(near: exclusivity.Near) -> str:
    """How a design of the shop is called on paper that may leave the house: no order, no other customer."""
    if near.sold_on is None:
        return "drawn before, not sold"
    return f"{'bought' if near.own else 'sold'} {near.sold_on:%d %b %Y}"


def _model(fingerprint: str) -> list[tuple[str, str]]:
    """What the model's card says, in the order in which people ask."""
    kept = ModelCard.objects.filter(fingerprint=fingerprint).first()
    card = kept.card if kept else {}
    data = card.get("data") or {}
    told = {
        "Model": card.get("name"),
        "Training data": card.get("licence"),
        "Corpus": ", ".join(f"{name} {value}" for name, value in data.items()) if isinstance(data, dict) else data,
        "Pictures seen": f"{card['images_seen']:,}" if isinstance(card.get("images_seen"), int) else None,
        "Parameters": f"{card['parameters']:,}" if isinstance(card.get("parameters"), int) else None,
        "Text encoder": card.get("text_encoder"),
    }
    return [(name, str(value)) for name, value in told.items() if value]


def _rights(candidate: Candidate) -> list[tuple[str, str]]:
    line = candidate.round.line
    found = []
    for approval in line.approvals.filter(candidate=candidate):
        found.append((f"Approved, no. {approval.number}", f"{approval.at:%Y-%m-%d}, sha256 {approval.sha256}"))
    own, others = exclusivity.promises(line, candidate.artwork)
    for each in own:
        until = f"until {each.until:%d %b %Y}" if each.until else "for ever"
        found.append(("Exclusive", f"to {each.customer.name}, {each.territory or 'everywhere'}, {until}"))
    if others:
        found.append(("Exclusive", "nearly the same design is promised to another customer of this shop"))
    return found or [("Exclusive", "promised to nobody")]
