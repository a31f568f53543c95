"""Draw designs into a folder, without an order: previews, indexed masters, findings, and how each was made."""

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from generation import services as generation
from generation.domain.pattern import Brief, Knobs, Layout, Limits, Raster, Repeat
from generation.domain.separations import separations_svg
from generation.errors import GenerationError, InvalidBrief, UnreadableImage
from generation.images import indexed_png, read_master
from orders import work
from orders.management import typed
from orders.management.commands.place_order import shop_named
from orders.services import Refusals
from production import services as production
from production.domain.spec import LineSpec

BAD_INPUT, NONE_CAN_BE_MADE = 2, 3
MOST_DESIGNS = 64
PREVIEW_PX = 1024
NAMES = {"tile": "tile.png", "cloth": "3x3.png", "master": "master.png", "separations": "separations.svg"}
# Fields of a brief that the command calls otherwise.
OPTIONS = {"generator": "backend", "parents": "like", "weave": "substrate"}
DEFAULT_REPEAT = Repeat(320.0, 320.0, Layout.HALF_DROP)


@dataclass(frozen=True)
class Wish:
    """What was asked for, after the checks."""

    brief: Brief
    limits: Limits
    seeds: range
    generator: str
    spec: LineSpec | None  # of the cloth, where one was named
    files: dict[str, str]  # option -> sha256 of the picture that came with it
    notes: tuple[str, ...]  # what had to be assumed about those pictures
    svg: bool


class Command(BaseCommand):
    """`manage.py design "WORDS" --out DIR`."""

    help = (
        "Draw designs from words into a folder; nothing is ordered. Ends with status 0, with 2 when it can't be drawn "
        "as asked, and with 3 when none of the designs can be made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        say = parser.add_argument
        say("words", nargs="?", default="", help="what the design shows; may be left out with --reference or --like")
        say("--out", required=True, metavar="DIR", help="where the files go")
        say("--palette", help="a name such as nordic, or colours such as '#f1eee7,#34506b', ground first")
        say("--layout", help=f"{', '.join(Layout)}; as in --like, else half_drop")
        say("--repeat-mm", metavar="WxH", help="finished size of the repeat; as in --like, else 320x320")
        say("--substrate", help="the cloth, by its code in the catalogue: its limits count")
        say("--machine", help="the machine; it has to suit the cloth")
        say("--shop", help="the shop's short name; needed with --substrate when there are several")
        say("-n", metavar="N", help="how many designs (4; of an upload there is one)")
        say("--seed", default="1", help="seed of the first; the others count up from it (1)")
        say("--backend", default="embedded", help="what draws (embedded)")
        say("--reference", metavar="FILE", help="a picture to draw from")
        say("--like", metavar="FILE", help="an indexed master to go on from")
        say("--strength", help="how far to leave it: 0 keeps it, 1 forgets it (0.5)")
        say("--and", dest="other", metavar="FILE", help="a second master to meet with the first")
        say("--share", help="where between the two: 0 is the first, 1 the second (0.5)")
        say("--redraw", metavar="I,J", help="draw only these colours of --like anew, by their place from 0")
        say("--scale", default="1", help="length of the motifs against what the words ask for, 0.5 to 2 (1)")
        say("--density", default="1", help="motifs per area against what the words ask for, 0.5 to 2 (1)")
        say("--colours", metavar="N", help="how many colours at most")
        say("--svg", action="store_true", help="also an SVG of the separations, one path for each colour")
        say("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wish = _wish(options)
            folder = typed.folder("out", options["out"])
            if not options["json"]:
                self.stdout.write(f"{'seed':>10}  {'can be made':<11}  {'colours':>7}  {'s':>5}  how")
            designs = []
            for design in _drawn(wish, folder):
                designs.append(design)
                if not options["json"]:
                    self._tell(design)
            account = _account(wish, designs)
            _write(folder / "design.json", json.dumps(account, indent=1, ensure_ascii=False).encode())
        except Refusals as refusal:
            self._refuse(refusal, as_json=options["json"])
            return
        if options["json"]:
            self.stdout.write(json.dumps({**account, "out": str(folder)}, indent=1))
        else:
            for note in dict.fromkeys([*wish.notes, *(note for each in designs for note in each["notes"])]):
                self.stdout.write(f"Note: {note}")
            self.stdout.write(f"In {folder}: a tile, a 3x3 and a master for each seed, and design.json.")
        if not any(design["passed"] for design in designs):
            sys.exit(NONE_CAN_BE_MADE)

    def _tell(self, design: dict[str, Any]) -> None:
        made = "yes" if design["passed"] else "no"
        took_s = sum(design["timings_s"].values())
        row = f"{design['seed']:>10}  {made:<11}  {len(design['palette']):>7}  {took_s:>5.1f}  {design['origin']}"
        self.stdout.write(row)
        for finding in design["findings"]:
            if finding["severity"] != "info":
                self.stdout.write(f"{'':>12}{finding['severity']}: {finding['sentence']} {finding['remedy']}")

    def _refuse(self, refusal: Any, *, as_json: bool) -> None:
        fields = {key: work.plain(value) for key, value in refusal.fields.items()}
        fields["field"] = OPTIONS.get(fields.get("field", ""), fields.get("field", ""))
        if as_json:
            body = {"code": refusal.code, "message": str(refusal), "fields": fields}
            self.stdout.write(json.dumps(body, indent=1, default=str))
        else:
            self.stderr.write(f"{fields['field'] or 'design'}: {refusal} [{refusal.code}]")
        sys.exit(BAD_INPUT)


def _wish(options: dict[str, Any]) -> Wish:
    """Read the options. Raises what they are refused with, `fields["field"]` naming the option."""
    files: dict[str, str] = {}
    parents = tuple(_master(options, name, files) for name in ("like", "other") if options[name])
    _need(options, "strength", "like")
    _need(options, "other", "like")
    _need(options, "share", "other")
    first = parents[0].repeat if parents else DEFAULT_REPEAT
    repeat = typed.size("repeat_mm", options["repeat_mm"]) if options["repeat_mm"] else first
    repeat = replace(repeat, layout=typed.layout("layout", options["layout"]) if options["layout"] else first.layout)
    spec = _cloth(options, repeat)
    limits = _fewer(spec.limits if spec else Limits(), options["colours"])
    if spec:
        repeat, size_px = spec.repeat, (spec.width_px, spec.height_px)
    else:
        dpi = production.resolution_dpi(width_mm=repeat.width_mm, height_mm=repeat.height_mm)
        size_px = repeat.pixels(dpi)
    reference = _bytes(options, "reference", files) if options["reference"] else None
    if options["backend"] == work.UPLOAD and reference is None:
        raise InvalidBrief("An upload is made from a picture: name it with --reference.", fields={"field": "reference"})
    brief = Brief(
        words=" ".join(options["words"].split()),
        repeat=repeat,
        width_px=size_px[0],
        height_px=size_px[1],
        palette=_palette(options["palette"], limits),
        reference=None if reference is None else generation.read_reference(reference),
        knobs=Knobs(_number(options, "scale"), _number(options, "density")),
        parents=parents,
        strength=_number(options, "strength", 0.5),
        share=_number(options, "share", 0.5),
        redraw=_indices(options["redraw"]),
    )
    one = options["backend"] == work.UPLOAD
    count, seed = typed.whole("n", options["n"] or ("1" if one else "4")), typed.whole("seed", options["seed"])
    if one and count != 1:
        raise typed.refused("n", count, f"An upload is one picture, and has no {count} variations: leave -n out.")
    if not 1 <= count <= MOST_DESIGNS:
        raise typed.refused("n", count, f"Between 1 and {MOST_DESIGNS} designs are drawn at a time, not {count}.")
    seeds = range(seed, seed + count)
    generation.check(brief, limits, (seeds[0], seeds[-1]))
    generation.generator_named(options["backend"])
    notes = tuple(note for parent in parents for note in parent.notes)
    return Wish(brief, limits, seeds, options["backend"], spec, files, notes, options["svg"])


def _drawn(wish: Wish, folder: Path) -> Iterator[dict[str, Any]]:
    """Draw, check and write one design after the other, and yield what there is to say about each."""
    begun = time.perf_counter()
    for raster in generation.rasters(wish.brief, seeds=wish.seeds, limits=wish.limits, generator=wish.generator):
        drawn = time.perf_counter()
        findings = (
            production.assess(raster, spec=wish.spec).findings
            if wish.spec
            else production.look_over(raster, limits=wish.limits)
        )
        checked = time.perf_counter()
        files = {
            "tile": generation.picture_png(raster, size_px=PREVIEW_PX),
            "cloth": generation.picture_png(raster, size_px=PREVIEW_PX, columns=3, rows=3),
            "master": indexed_png(raster),
        }
        if wish.svg:
            files["separations"] = separations_svg(raster).encode()
        names = {kind: f"{raster.seed}-{NAMES[kind]}" for kind in files}
        for kind, data in files.items():
            _write(folder / names[kind], data)
        written = time.perf_counter()
        yield {
            "seed": raster.seed,
            "files": {
                kind: {"name": names[kind], "sha256": hashlib.sha256(data).hexdigest()} for kind, data in files.items()
            },
            "palette": list(raster.palette.colours),
            "roles": [raster.role_of(index) for index in range(len(raster.palette))],
            "origin": raster.origin,
            "notes": list(raster.notes),
            "passed": all(finding.severity != "error" for finding in findings),
            "findings": [finding.as_dict() for finding in findings],
            "timings_s": {
                "drawn": round(drawn - begun, 3),
                "checked": round(checked - drawn, 3),
                "written": round(written - checked, 3),
            },
        }
        begun = time.perf_counter()


def _account(wish: Wish, designs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how the designs were made: with this, the pictures and the same fingerprint they can be drawn again."""
    brief, repeat = wish.brief, wish.brief.repeat
    return {
        "format": "weftline-design/1",
        "words": brief.words,
        "palette": list(brief.palette) if brief.palette else None,
        "layout": repeat.layout.value,
        "repeat_mm": [repeat.width_mm, repeat.height_mm],
        "pixels": [brief.width_px, brief.height_px],
        "backend": wish.generator,
        "fingerprint": generation.generator_named(wish.generator).fingerprint(),
        "cloth": wish.spec.sku if wish.spec else None,
        "machines": list(wish.spec.machines) if wish.spec else None,
        "limits": asdict(wish.limits),
        "knobs": asdict(brief.knobs),
        "strength": brief.strength,
        "share": brief.share,
        "redraw": list(brief.redraw),
        "pictures": wish.files,
        "notes": list(wish.notes),
        "designs": designs,
    }


def _cloth(options: dict[str, Any], repeat: Repeat) -> LineSpec | None:
    """Return how the mill would make the repeat on the cloth that was named; None when none was."""
    code, machine = options["substrate"], options["machine"]
    if not code and not machine:
        if options["shop"]:
            raise typed.refused(
                "shop", options["shop"], "A shop is looked at with --substrate only: name the cloth too."
            )
        return None
    try:
        shop = shop_named(options["shop"])
        known = dict(reversed(each.split(":", 1)) for each, _ in production.cloths(shop.slug))
        if not code and known.get(machine) == "weave":
            code = machine  # a loom is set up for one cloth
        if not code:
            cloths = ", ".join(sorted(known))
            raise typed.refused("substrate", None, f"Name the cloth for {machine} with --substrate: {cloths}.")
        cloth = {known.get(code, "substrate"): code}
        spec = production.specify(shop.slug, quantity_m=1, repeat=repeat, words=options["words"], **cloth)
    except DatabaseError as error:
        no_catalogue = "The catalogue can't be read: run `make demo`, or `manage.py migrate` and `manage.py seed FILE`."
        raise typed.refused("substrate", code, no_catalogue) from error
    if machine and machine not in spec.machines:
        machines = ", ".join(spec.machines)
        raise typed.refused(
            "machine", machine, f"{spec.name} is made on {machines}, not on {machine}. Choose one of them."
        )
    return spec


def _fewer(limits: Limits, asked: str | None) -> Limits:
    if asked is None:
        return limits
    count = typed.whole("colours", asked)
    if not 2 <= count <= limits.max_colours:
        most = limits.max_colours
        raise typed.refused(
            "colours", count, f"A design has 2 to {most} colours here, not {count}. Choose one of these."
        )
    return replace(limits, max_colours=count)


def _palette(text: str | None, limits: Limits) -> tuple[str, ...] | None:
    """Return exact colours from their list, or as many of a named palette's as can be made; None: from the words."""
    if text is None:
        return None
    if "#" in text or "," in text:
        return tuple(generation.parse_colour(colour) for colour in text.split(","))
    return generation.palette_named(text)[: limits.max_colours]


def _indices(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    return tuple(sorted({typed.whole("redraw", each) for each in text.split(",")}))


def _number(options: dict[str, Any], name: str, default: float = 1.0) -> float:
    text = options[name]
    return default if text is None else typed.number(name, text)


def _need(options: dict[str, Any], name: str, other: str) -> None:
    if options[name] is not None and options[other] is None:
        called = {"other": "and"}
        name, other = called.get(name, name), called.get(other, other)
        raise typed.refused(
            name, None, f"--{name} means something only with --{other}: name that file, or leave it out."
        )


def _master(options: dict[str, Any], name: str, files: dict[str, str]) -> Raster:
    try:
        return read_master(_bytes(options, name, files))
    except GenerationError as error:
        error.fields["field"] = name
        raise


def _bytes(options: dict[str, Any], name: str, files: dict[str, str]) -> bytes:
    try:
        data = Path(options[name]).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such name"
        unreadable = f"The picture {options[name]} can't be read: {why}."
        raise UnreadableImage(unreadable, fields={"field": name}) from error
    files[name] = hashlib.sha256(data).hexdigest()
    return data


def _write(path: Path, data: bytes) -> None:
    """Write a whole file or none: half a master must not look like one."""
    half = path.with_name(f".{path.name}.part")
    try:
        half.write_bytes(data)
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise typed.unwritable("out", path.parent, error) from error
