"""What one order line asks of the workshop, as plain values: cloth, machines, limits and the snapped repeat."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from generation.domain.pattern import MM_PER_INCH, Limits, Repeat
from production.domain.floats import FloatLimits

PRINT = "print"
WEAVE = "weave"


@dataclass(frozen=True)
class Ink:
    """One ink of an ink set."""

    channel: str  # one letter: C, M, Y, K, then O, V, R, G, B ...
    name: str  # as the RIP knows it
    sku: str
    ml_per_m2: float  # at 100 % of this ink


@dataclass(frozen=True)
class Profile:
    """The ICC profile that describes one printer, ink set and class of fabric."""

    name: str
    sha256: str
    path: Path
    synthetic: bool


@dataclass(frozen=True)
class Inks:
    """An ink set with its limits, and what goes onto the cloth before it."""

    code: str
    name: str
    ink_class: str
    inks: tuple[Ink, ...]
    tac_pct: float  # total area coverage: the most ink, all channels added, that the cloth takes
    purge_ml: float  # per channel and job, nozzle check included
    pretreatment_sku: str
    pickup_pct: float  # pretreatment liquor taken up, in % of the cloth's weight
    profile: Profile

    @property
    def channels(self) -> tuple[str, ...]:
        """The letters of the inks, in the order of the file's planes."""
        return tuple(ink.channel for ink in self.inks)


@dataclass(frozen=True)
class Yarn:
    """A yarn as it lies in the cloth."""

    sku: str
    name: str
    tex: float
    crimp: float  # fraction: how much longer the yarn is than the cloth
    colour: str  # '#rrggbb'


@dataclass(frozen=True)
class Weaving:
    """How a woven line is set on its loom."""

    code: str
    name: str
    ends_per_cm: float
    picks_per_cm: float  # of the ground weft
    hooks: int
    harness_ends: int  # ends of one repeat of the harness: design repeats must divide it
    total_ends: int  # selvedges included
    reed_width_mm: float
    warp: Yarn
    weft: Yarn
    weaves: tuple[str, ...]  # from the warp-faced to the weft-faced, one per colour of a design
    max_float: int  # threads
    loss: float  # fraction of yarn lost in warping and weaving
    copies: tuple[int, int] = (1, 1)  # design repeats across and along that make one straight repeat of the loom
    max_float_mm: float = 0.0  # the longest float on the cloth; 0: only the threads count
    extra: Yarn | None = None  # a figure weft, one pick of it after each of the ground weft, the cloth standing still
    ends_per_dent: int = 4  # of the reed
    castout: tuple[tuple[str, int], ...] = ()  # the machine's hooks in their order: (function, how many)

    @property
    def wefts(self) -> tuple[Yarn, ...]:
        """The weft yarns in the order of their picks; the first is on selector 1."""
        return (self.weft,) if self.extra is None else (self.weft, self.extra)

    @property
    def figure_hooks(self) -> int:
        """The hooks of the machine that can lift an end of the pattern."""
        if not self.castout:
            return self.hooks
        return sum(hooks for function, hooks in self.castout if function == "figure")

    @property
    def float_limits(self) -> FloatLimits:
        """The most threads a float may pass: the stricter of the limits in threads and in millimetres, per direction.

        The picks of each weft are counted by themselves, so picks per cm are those of the ground weft.
        """
        if not self.max_float_mm:
            return FloatLimits(weft=self.max_float, warp=self.max_float)
        ends, picks = (int(self.max_float_mm * per_cm / 10 + 1e-9) for per_cm in (self.ends_per_cm, self.picks_per_cm))
        return FloatLimits(weft=min(self.max_float, ends), warp=min(self.max_float, picks))


@dataclass(frozen=True)
class Machine:
    """What production has to know of one machine to say how long a job takes."""

    code: str
    name: str
    operation: str
    setup_min: float
    cleanup_min: float
    speed_m2_h: float = 0.0
    speed_m_min: float = 0.0
    picks_min: float = 0.0
    factor: float = 1.0  # effective over nominal speed, or loom efficiency
    dwell_min: float = 0.0  # time a metre stays inside, once per job
    power_kw: float = 0.0
    files: tuple[str, ...] = ()  # the kinds of file each of its jobs gets
    sidecar: str = ""  # the kind of ticket that its RIP or loom goes by
    rip_folder: str = ""  # its hot folder as its own RIP sees it; empty: a ticket names files beside itself

    def run_min(self, *, length_m: float, width_m: float, picks_per_cm: float = 0.0) -> float:
        """Minutes the machine runs for `length_m` of cloth `width_m` wide, without set-up and cleaning.

        >>> Machine("PRET", "Padder", "Pretreat", 15, 15, speed_m_min=12).run_min(length_m=24, width_m=1.5)
        2.0
        """
        if self.picks_min:
            minutes = length_m * picks_per_cm * 100 / (self.picks_min * self.factor)
        elif self.speed_m2_h:
            minutes = length_m * width_m * 60 / (self.speed_m2_h * self.factor)
        else:
            minutes = length_m / (self.speed_m_min * self.factor)
        return minutes + self.dwell_min


@dataclass(frozen=True)
class LineSpec:
    """An order line, specified: what will be drawn, at which size in pixels, and on what it is made."""

    shop: str
    kind: str  # PRINT or WEAVE
    sku: str  # the fabric to print, or the code of the weave
    name: str
    quantity_m: float
    words: str
    asked: Repeat  # as the customer asked for it
    repeat: Repeat  # finished size, snapped to whole pixels (print) or threads (weave)
    width_px: int  # of the master and of the file: printed pixels, or ends
    height_px: int  # printed pixels, or picks
    dpi: float  # resolution of the printed file; 0 for a woven line
    printed_width_mm: float  # before the cloth shrinks
    printed_height_mm: float
    scale_x: float  # printed over finished size, across the cloth (weft shrinkage)
    scale_y: float  # along the cloth (warp shrinkage)
    width_mm: float
    usable_width_mm: float  # before the cloth shrinks
    gsm: float
    fibre: str
    shrink_warp: float  # fraction
    shrink_weft: float
    limits: Limits
    head_m: float
    tail_m: float
    waste: float  # fraction
    operations: tuple[tuple[Machine, ...], ...]  # per step of the route, the machines that can do it
    inks: Inks | None = None
    weaving: Weaving | None = None
    snapped: tuple[str, ...] = field(default=())  # what was changed on the way from asked to snapped, in words

    @property
    def makers(self) -> tuple[Machine, ...]:
        """The printers or looms that can make it."""
        return next(step for step in self.operations if step[0].operation in ("Print", "Weave"))

    @property
    def machines(self) -> tuple[str, ...]:
        """Codes of the printers or looms that can make it."""
        return tuple(machine.code for machine in self.makers)

    @property
    def pattern_px(self) -> tuple[int, int]:
        """(width, length) of the pattern of a printed line in printed pixels, before the cloth shrinks."""
        length_mm = self.quantity_m * 1000 / (1 - self.shrink_warp)
        return self.usable_width_px, max(1, round(length_mm / MM_PER_INCH * self.dpi))

    @property
    def usable_width_px(self) -> int:
        """Printed pixels (or ends) across the usable width."""
        if self.weaving is not None:
            return int(self.usable_width_mm / 10 * self.weaving.ends_per_cm)
        return int(self.usable_width_mm / MM_PER_INCH * self.dpi)
