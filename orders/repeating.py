"""The same once more: which design of an old line can be had again, and the round that asks for it."""

from typing import TYPE_CHECKING

from generation.domain.pattern import Layout, Repeat
from orders import names, work
from orders.domain.exploring import Way
from orders.domain.states import LineState
from orders.errors import CandidateNotPassed, InvalidOrder
from orders.models import Candidate, OrderLine, Round, Shop
from production import services as production

if TYPE_CHECKING:
    from orders.services import NewLine


def design_of(line: OrderLine) -> Candidate | None:
    """Return the design that a line was approved and released in, and can be made in again; None: there is none."""
    if line.state in {LineState.CANCELLING, LineState.CANCELLED} or not line.approvals.exists():
        return None
    approval = work.newest_approval(line)
    return approval.candidate if work.is_released(approval) else None


def again(shop: Shop, design: Candidate, new: "NewLine") -> Round:
    """Return the unsaved first round of a line that is made in a design which is there already.

    Layout and repeat have to be those of the design. Raises InvalidOrder, CandidateNotPassed, and what production
    refuses the cloth with.
    """
    source = work.as_drawn(design)
    old = source.round
    if not design.passed:
        raise CandidateNotPassed(fields={"field": "same_as", "findings": design.findings})
    if (new.layout, *new.repeat_mm) != (old.layout, old.repeat_width_mm, old.repeat_height_mm):
        other = (
            "The same design has the same repeat: "
            f"{old.repeat_width_mm:g} × {old.repeat_height_mm:g} mm, {old.layout.replace('_', ' ')}. "
            "For another size let it be drawn anew."
        )
        raise InvalidOrder(other, fields={"field": "repeat_mm"})
    if new.weave != old.line.weave:
        made = f"woven as {old.line.weave}" if old.line.weave else "printed"
        raise InvalidOrder(
            f"This design was {made}: choose that again, or let it be drawn anew.",
            fields={"field": "weave" if new.weave else "substrate"},
        )
    production.specify(
        shop.slug,
        substrate=new.substrate or None,
        weave=new.weave or None,
        quantity_m=new.quantity_m,
        repeat=Repeat(old.repeat_width_mm, old.repeat_height_mm, Layout(old.layout)),
        on=names.today(shop),
    )
    return round_again(source, number=1)


def round_again(source: Candidate, *, number: int, way: Way = Way.AGAIN) -> Round:
    """Return an unsaved round that asks for a drawn design once more, with all that it was drawn from."""
    old = source.round
    return Round(
        number=number,
        way=way,
        same_as=source,
        words=old.words,
        palette=old.palette,
        palette_name=old.palette_name,
        layout=old.layout,
        repeat_width_mm=old.repeat_width_mm,
        repeat_height_mm=old.repeat_height_mm,
        reference_sha256=old.reference_sha256,
        generator=old.generator,
        scale=old.scale,
        density=old.density,
    )
