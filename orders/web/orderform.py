"""The form of a new order: what is typed into it read as an order, an old line or a refusal written back into it."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, DecimalException
from typing import Any, Final

from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from generation import services as generation
from generation.domain.pattern import Layout, Repeat
from orders import names, repeating, strikeoffs, work
from orders.api.serializers import LARGEST_PICTURE_BYTES, OrderInput
from orders.asking import Wish, usual_due_date
from orders.domain.asked import Asked, Unit, asked_of, plain
from orders.errors import InvalidOrder
from orders.models import OrderLine, Preference, Shop
from orders.services import NewLine
from orders.templatetags.measures import INCH_MM
from orders.web.forms import colours_in, decimal_point, said, wished
from orders.web.plainly import plainly

MM: Final = {"mm": Decimal(1), "cm": Decimal(10), "in": INCH_MM}
SALT: Final = "reference picture"
MOST_BREAKS: Final = 6
# What fields of an order are called in the form, where that is not their own name.
FIELDS: Final = {
    "substrate": "cloth", "weave": "cloth", "quantity_m": "quantity", "unit": "quantity_unit",
    "height_mm": "panel_height", "gap_mm": "panel_gap", "repeat_mm": "repeat_width", "due_in_days": "due_date",
    "asked": "quantity", "non_field_errors": "customer", "same_as": "same_design",
}  # fmt: skip
Typed = Mapping[str, str]


@dataclass(frozen=True)
class Complaint:
    """What is wrong, and at which field of the form; no field: at the whole."""

    field: str
    sentence: str


@dataclass(frozen=True)
class Picture:
    """A reference picture that is kept: by a signed token the form remembers it."""

    sha256: str
    whole: bool  # as large as it came, for an upload; else made small for a generator that draws

    def token(self, shop: Shop) -> str:
        """By which the form of this shop's people remembers it."""
        return signing.dumps([shop.slug, self.sha256, self.whole], salt=SALT, compress=True)


# ------------------------------------------------------------------------------------------------ written into it


def first_typed(shop: Shop, preference: Preference) -> dict[str, str]:
    """Return what stands in an empty form."""
    inches = preference.units == Preference.Units.IMPERIAL
    length = Unit.YARDS.value if inches else Unit.METRES.value
    return {
        "once": str(uuid.uuid4()),
        "layout": Layout.HALF_DROP.value,
        "repeat_width": "12.6" if inches else "320",
        "repeat_height": "12.6" if inches else "320",
        "size_unit": "in" if inches else "mm",
        "quantity_unit": length,
        "scale": "1",
        "density": "1",
        "due_date": usual_due_date(shop).isoformat(),
        "strike_off_m": "1",
        "strike_off_unit": length,
    }


def typed_of(line: OrderLine, shop: Shop, preference: Preference) -> dict[str, str]:
    """Return what stands in a form that repeats an old line: all but when it is due."""
    brief = line.newest_round
    kind, code = ("substrate", line.substrate) if line.substrate else ("weave", line.weave)
    typed = {
        **first_typed(shop, preference),
        "customer": line.order.customer.name,
        "end_use": line.end_use,
        "cloth": f"{kind}:{code}",
        "words": brief.words,
        "palette": brief.palette_name or ", ".join(brief.palette or ()),
        "layout": brief.layout,
        "repeat_width": f"{brief.repeat_width_mm:g}",
        "repeat_height": f"{brief.repeat_height_mm:g}",
        "size_unit": "mm",
        "scale": f"{brief.scale:g}",
        "density": f"{brief.density:g}",
        "generator": brief.generator if brief.generator != shop.generator else "",
        "quantity": plain(line.quantity_m),
        "quantity_unit": Unit.METRES.value,
        "repeat_of": line.reference,
    }
    if line.asked:
        asked = asked_of(line.asked)
        typed |= {"quantity": plain(asked.quantity), "quantity_unit": asked.unit.value}
        typed |= {"panel_height": plain(asked.height_mm)} if asked.height_mm is not None else {}
        typed |= {"panel_gap": plain(asked.gap_mm)} if asked.gap_mm is not None else {}
    if brief.reference_sha256:
        picture = Picture(brief.reference_sha256, whole=brief.generator == work.UPLOAD)
        typed["picture"] = picture.token(shop)
    return typed


# ------------------------------------------------------------------------------------------------ read out of it


def picture_of(shop: Shop, token: str) -> Picture | None:
    """Return the picture that a form remembers; None for a token that is none of this shop's."""
    try:
        owner, sha256, whole = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        return None
    return Picture(sha256, whole) if owner == shop.slug else None


def keep_picture(file: UploadedFile, *, generator: str) -> Picture:
    """Read an untrusted picture and keep it. Raises ValidationError, UnreadableImage."""
    # One byte too many is enough to be refused; the rest is not read.
    data = file.read(LARGEST_PICTURE_BYTES + 1)
    if not data:
        raise ValidationError({"reference": ["The picture's file is empty. Choose another, or leave it out."]})
    if len(data) > LARGEST_PICTURE_BYTES:
        raise ValidationError({"reference": ["The picture is larger than 8 MB. Send a smaller one."]})
    whole = generator == work.UPLOAD
    return Picture(generation.keep_reference(data, whole=whole), whole)


def order_of(shop: Shop, typed: Typed, *, picture: Picture | None) -> dict[str, Any]:
    """Return what was typed as an order, ready to be placed.

    Raises ValidationError, and InvalidOrder for what only the form can say wrongly.
    """
    line = _line_of(shop, typed)
    lines = [line]
    if "strike_off" in typed:
        length = _length(typed.get("strike_off_m", ""), typed.get("strike_off_unit", ""))
        lines.append({**{k: v for k, v in line.items() if k != "asked"}, "quantity_m": length})
    sent = {"customer": typed.get("customer", ""), "lines": lines}
    if typed.get("once"):
        sent["once"] = typed["once"]
    try:
        order: dict[str, Any] = wished(OrderInput, sent)
    except ValidationError as wrong:
        if line["words"] or picture is not None or "same_design" in typed:
            raise
        # The generator would say so, but is asked only once all else can be read.
        raise ValidationError({**wrong.detail, "words": [generation.NO_WORDS]}) from wrong
    first: NewLine = order["lines"][0]
    if picture is not None:
        if first.generator == work.UPLOAD and not picture.whole:
            small = _("This picture was made small to draw from. To make it as it is, choose its file once more.")
            raise InvalidOrder(small, fields={"field": "reference"})
        first = replace(first, reference_sha256=picture.sha256)
    old = repeated(shop, typed.get("repeat_of", ""))
    first = replace(first, repeat_of=old)
    if old is not None and "same_design" in typed:
        design = repeating.design_of(old)
        if design is None:
            unreleased = _("%(line)s was never released: let its design be drawn anew.") % {"line": old.reference}
            raise InvalidOrder(unreleased, fields={"field": "same_design"})
        source = work.as_drawn(design).round
        size = (source.repeat_width_mm, source.repeat_height_mm)
        first = replace(first, same_as=design, layout=source.layout, repeat_mm=size)
    order["lines"] = [first]
    if len(lines) > 1:
        length_m = sent["lines"][1]["quantity_m"]
        order["lines"].append(strikeoffs.sample_for(first, quantity_m=Decimal(length_m), today=names.today(shop)))
    return order


def wish_of(shop: Shop, typed: Typed) -> Wish:
    """Return as much of an order as can be read of what has been typed so far; what can't be read is not said yet."""
    kind, code = _cloth(typed)
    code = code if code.isprintable() else ""
    sizes = [_number(_mm(typed.get(name, ""), typed)) for name in ("repeat_width", "repeat_height")]
    repeat = None
    if typed.get("layout") in {layout.value for layout in Layout} and all(size and size > 0 for size in sizes):
        repeat = Repeat(float(sizes[0] or 0), float(sizes[1] or 0), Layout(typed["layout"]))
    due = typed.get("due_date", "")
    old = repeated(shop, typed.get("repeat_of", ""), refuse=False)
    return Wish(
        **{kind: code} if code else {},
        quantity_m=metres_of(typed),
        repeat=repeat,
        due_date=date.fromisoformat(due) if _is_day(due) else None,
        drawn="same_design" in typed and old is not None and repeating.design_of(old) is not None,
        lengths=[each for each in _breaks(typed).values() if each is not None][:MOST_BREAKS],
    )


def unread_breaks(typed: Typed) -> list[str]:
    """Return what of the other lengths can't be read as one."""
    return [each for each, length in _breaks(typed).items() if length is None]


def _breaks(typed: Typed) -> dict[str, Decimal | None]:
    """Other lengths by how they were typed, in metres; None for what is none."""
    words = typed.get("breaks", "").replace(";", " ").split()
    lengths = {each: _number(_length(each.rstrip(","), _length_unit(typed))) for each in words}
    return {each: length if length is not None and length > 0 else None for each, length in lengths.items()}


def metres_of(typed: Typed) -> Decimal | None:
    """Return the metres that a quantity comes to; None while it can't be read."""
    asked = _asked(typed)
    quantity = _number(asked["quantity"])
    if quantity is None or quantity <= 0 or asked["unit"] not in list(Unit):
        return None
    sizes = {name: _number(asked[name]) for name in ("height_mm", "gap_mm") if asked.get(name)}
    if asked["unit"] == Unit.PANELS and not sizes.get("height_mm"):
        return None
    metres = Asked(quantity=quantity, unit=Unit(asked["unit"]), **sizes).metres
    return metres if 0 < metres < 10**6 else None


def complaints(error: Exception) -> list[Complaint]:
    """Return all that is wrong with what was typed, by the form's own fields, each field once."""
    if not isinstance(error, ValidationError):
        sentence, field = said(error)
        return [Complaint(_called(str(getattr(error, "fields", {}).get("field", field))), sentence)]
    found = [Complaint(_called(path), sentence) for path, sentence in _sentences(error.detail, "")]
    return list({complaint.field: complaint for complaint in reversed(found)}.values())[::-1]


def _called(path: str) -> str:
    """Return what a field of an order, such as lines[0].repeat_mm[1], is called in the form."""
    field = next((part for part in reversed(re.split(r"[.\[\]]+", path)) if part and not part.isdigit()), "")
    if path.endswith("repeat_mm[1]"):
        return "repeat_height"
    if path.startswith("lines[1]"):  # the strike-off: as the first line, but for its length
        return "strike_off_m" if field == "quantity_m" else FIELDS.get(field, field)
    return FIELDS.get(field, field)


def _sentences(detail: Any, path: str) -> Sequence[tuple[str, str]]:
    """Walk rest_framework's nested complaints: where each is, such as lines[0].quantity_m, and what is said."""
    if isinstance(detail, dict):
        named = ((f"[{name}]" if isinstance(name, int) else f".{name}", inner) for name, inner in detail.items())
        return [each for name, inner in named for each in _sentences(inner, path + name if path else name[1:])]
    if isinstance(detail, list):
        nested = any(isinstance(inner, dict | list) for inner in detail)
        within = ((f"{path}[{number}]" if nested else path, inner) for number, inner in enumerate(detail) if inner)
        return [each for there, inner in within for each in _sentences(inner, there)]
    return [(path, plainly(str(detail)))]


def _line_of(shop: Shop, typed: Typed) -> dict[str, Any]:
    kind, code = _cloth(typed)
    line: dict[str, Any] = {
        "words": typed.get("words", ""),
        "layout": typed.get("layout", ""),
        "repeat_mm": [_mm(typed.get(side, ""), typed) for side in ("repeat_width", "repeat_height")],
        "due_date": typed.get("due_date", ""),
        "end_use": typed.get("end_use", ""),
    }
    if code:
        line[kind] = code
    asked = _asked(typed)
    if asked["unit"] == Unit.METRES:
        line["quantity_m"] = asked["quantity"]
    else:
        line["asked"] = asked
    if typed.get("palette", "").replace(",", " ").split():
        line["palette"] = colours_in(typed["palette"])
    for knob in ("scale", "density"):
        if typed.get(knob):
            line[knob] = decimal_point(typed[knob])
    if typed.get("generator"):
        line["generator"] = typed["generator"]
    return line


def _cloth(typed: Typed) -> tuple[str, str]:
    kind, _colon, code = typed.get("cloth", "").partition(":")
    return (kind, code) if kind in {"substrate", "weave"} else ("substrate", "")


def _asked(typed: Typed) -> dict[str, str]:
    asked = {"quantity": decimal_point(typed.get("quantity", "")), "unit": typed.get("quantity_unit", "")}
    if asked["unit"] == Unit.PANELS:
        sizes = {"height_mm": typed.get("panel_height", ""), "gap_mm": typed.get("panel_gap", "")}
        asked |= {name: _mm(size, typed, "0.1") for name, size in sizes.items() if size.strip()}
    return asked


def _mm(size: str, typed: Typed, step: str = "0.01") -> str:
    """Return a size as typed, in millimetres; what is no number stays as it is, and is refused where it is checked."""
    number = _number(decimal_point(size))
    per_unit = MM.get(typed.get("size_unit", "mm"))
    if per_unit is None:
        return f"{size} {typed.get('size_unit')}"
    if number is None:
        return size
    return plain((number * per_unit).quantize(Decimal(step)))


def _length(typed: str, unit: str) -> str:
    """Return a length as typed, in metres; what is no number stays as it is."""
    number = _number(decimal_point(typed))
    if number is None or unit != Unit.YARDS:
        return decimal_point(typed)
    return str(Asked(quantity=number, unit=Unit.YARDS).metres)


def _length_unit(typed: Typed) -> str:
    unit = typed.get("quantity_unit", "")
    return unit if unit != Unit.PANELS else Unit.METRES.value


def _number(typed: str) -> Decimal | None:
    """Return a number that a length could be; None for what is none."""
    try:
        number = Decimal(typed)
    except DecimalException:
        return None
    return number if number.is_finite() and abs(number) < 10**6 else None


def _is_day(typed: str) -> bool:
    try:
        date.fromisoformat(typed)
    except ValueError:
        return False
    return True


def repeated(shop: Shop, reference: str, *, refuse: bool = True) -> OrderLine | None:
    """Return the line that a form repeats. Raises InvalidOrder for one that this shop does not have."""
    if not reference:
        return None
    found = OrderLine.objects.filter(order__shop=shop).select_related("order__shop", "order__customer")
    line = found.filter(reference=reference).first() if "\0" not in reference else None
    if line is None and refuse:
        raise InvalidOrder(_("There is no such line to repeat."), fields={"field": "repeat_of"})
    return line


def typed_in(post: Mapping[str, Any]) -> dict[str, str]:
    """Return what was typed, without the spaces around it."""
    return {name: str(value).strip() for name, value in post.items()}
