"""The synthetic profiles that ship with the product, and how their files are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from production.domain.icc import write_profile
from production.domain.inkmodel import (
    REACTIVE_ON_COTTON,
    REACTIVE_SIX_ON_COTTON,
    InkModel,
    Progress,
    cloth_xyz,
    profile_tables,
)

MADE = datetime(2026, 1, 1, tzinfo=UTC)
_DESCRIPTION = (
    "SYNTHETIC reactive {letters} on cotton, ink limit {tac:.0f} %, from an ink model, not measured (Weftline)"
)


@dataclass(frozen=True)
class Shipped:
    """A profile that ships: the model it is made from, and its inks by name where the file is to say them."""

    model: InkModel
    letters: str
    inks: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Its name under production/profiles."""
        return f"reactive-{self.letters.lower()}-cotton-synthetic.icc"


SHIPPED = {
    "cmyk": Shipped(REACTIVE_ON_COTTON, "CMYK"),
    "cmykov": Shipped(REACTIVE_SIX_ON_COTTON, "CMYKOV", ("Cyan", "Magenta", "Yellow", "Black", "Orange", "Violet")),
}


def built(shipped: Shipped, *, on_round: Progress | None = None) -> bytes:
    """The profile's bytes: the same on the same machine."""
    return write_profile(
        profile_tables(shipped.model, on_round=on_round),
        description=_DESCRIPTION.format(letters=shipped.letters, tac=shipped.model.tac * 100),
        copyright_text="No copyright, use freely",
        white_xyz=cloth_xyz(shipped.model),
        made=MADE,
        inks=shipped.inks,
    )
