"""What other apps ask of this one: draw a brief, give back an artwork's pixels, read colours and reference pictures."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import lru_cache, partial
from importlib import import_module
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from numpy.typing import NDArray

from generation import likeness, storage
from generation.backends.upload import SEEN_STRETCH, refuse_open_tile, stretch_of
from generation.domain.palette import NAMED_PALETTES, palette_named, parse_colour
from generation.domain.pattern import (
    MM_PER_INCH,
    Brief,
    IndexArray,
    Layout,
    Limits,
    Palette,
    Raster,
    Repeat,
    layout_tiling,
)
from generation.errors import InvalidBrief, UnknownGenerator
from generation.images import indexed_png, png_of, read_indexed_png, read_png, read_reference
from generation.models import Artwork, ModelCard
from generation.ports import AtSize, Generator, LooksFirst, OnStep, part_of

__all__ = [
    "LONGEST_WORDS",
    "NO_WORDS",
    "at_size",
    "check",
    "check_upload",
    "colourway",
    "draw",
    "drawings",
    "drawings_soon",
    "generator_named",
    "generators",
    "give_up",
    "keep_reference",
    "kept_reference",
    "palette_named",
    "palettes",
    "parse_colour",
    "picture_png",
    "preview_png",
    "raster_of",
    "raster_with",
    "rasters",
    "read_reference",
    "recolour",
    "resized",
]

LARGEST_PX = 32_768
LARGEST_SEED = 2**32 - 1
LONGEST_WORDS = 500  # characters that are read
NO_WORDS = "Say in a few words what the design shows, or add a picture."
LEAST_KNOB, MOST_KNOB = 0.5, 2.0  # of scale and density, against what the words ask for
REFERENCE_PX = 2048  # more than any generator that draws looks at
REFERENCES = "references"
LOOK_PX = 1200  # of the longer side of a look: as sharp as any screen shows a repeat
LOOK_WORTH = 1.5  # times that size, from which on a look is there notably sooner than the whole


def draw(
    brief: Brief, *, seeds: Sequence[int], limits: Limits, generator: str = "embedded", on_step: OnStep | None = None
) -> list[Artwork]:
    """Draw the brief once per seed and keep each drawing; an artwork that is there already is not drawn again.

    Raises InvalidBrief, UnknownGenerator, NotAColour, WeightsRefused.
    """
    return list(drawings(brief, seeds=seeds, limits=limits, generator=generator, on_step=on_step))


def drawings(
    brief: Brief, *, seeds: Sequence[int], limits: Limits, generator: str = "embedded", on_step: OnStep | None = None
) -> Iterator[Artwork]:
    """Draw the brief once per seed, as `draw` does; each artwork is kept and handed over before the next is begun."""
    check(brief, limits, seeds)
    source = generator_named(generator)
    fingerprint = source.fingerprint()
    _note_card(source, generator, fingerprint)
    for number, seed in enumerate(seeds):
        key = _key(brief, seed, limits, generator, fingerprint)
        artwork = Artwork.objects.filter(key=key).first()
        if artwork is None:
            (raster,) = source.generate(brief, [seed], limits, part_of(on_step, number, len(seeds)))
            artwork = _keep(raster, words=brief.words, key=key, generator=generator, fingerprint=fingerprint)
        elif on_step:
            on_step(number + 1, len(seeds))
        yield artwork


def drawings_soon(
    brief: Brief, *, seeds: Sequence[int], limits: Limits, generator: str = "embedded", on_step: OnStep | None = None
) -> Iterator[tuple[Artwork, Artwork | None]]:
    """Draw as `drawings` does, so that a person sees something of every seed before any is brought to its size.

    As many looks are drawn at once as there are processors.
    Yields (look, None) for each seed, then (artwork, its look) for each; (artwork, None) alone where a look would not
    be there sooner. Whoever has taken the artwork gives the look up with `give_up`.
    """
    check(brief, limits, seeds)
    source = generator_named(generator)
    small = _look_px(brief)
    if small is None or not isinstance(source, LooksFirst):
        for artwork in drawings(brief, seeds=seeds, limits=limits, generator=generator, on_step=on_step):
            yield artwork, None
        return
    fingerprint = source.fingerprint()
    _note_card(source, generator, fingerprint)
    of_generator = {"generator": generator, "fingerprint": fingerprint}
    look = replace(brief, width_px=small[0], height_px=small[1])
    keys = {seed: _key(look, seed, limits, generator, fingerprint) for seed in seeds}
    known = {artwork.key: artwork for artwork in Artwork.objects.filter(key__in=keys.values())}

    def drawn(seed: int) -> tuple[AtSize, Raster]:
        at_size = source.begin(brief, seed, limits)
        return at_size, at_size(*small)

    begun: dict[int, tuple[AtSize | None, Artwork]] = {}
    threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="look")
    try:
        lacking = {seed: threads.submit(drawn, seed) for seed in seeds if keys[seed] not in known}
        for number, seed in enumerate(seeds, start=1):
            at_size, there = None, known.get(keys[seed])
            if there is None:
                at_size, raster = lacking.pop(seed).result()
                there = _keep(raster, words=brief.words, key=keys[seed], **of_generator, is_look=True)
                known[keys[seed]] = there
            begun[seed] = (at_size, there)
            if on_step:
                on_step(number, len(seeds))
            yield there, None
    finally:  # whoever takes no more looks waits for those that are being drawn, and for no others
        threads.shutdown(cancel_futures=True)
    for seed, (at_size, there) in begun.items():
        key = _key(brief, seed, limits, generator, fingerprint)
        artwork = Artwork.objects.filter(key=key).first()
        if artwork is None:
            at_size = at_size or source.begin(brief, seed, limits)
            raster = at_size(brief.width_px, brief.height_px)
            artwork = _keep(raster, words=brief.words, key=key, **of_generator)
        yield artwork, there


def give_up(look: Artwork) -> None:
    """Remove a look whose artwork has taken its place; one that something else still shows stays."""
    with contextlib.suppress(ProtectedError), transaction.atomic():
        look.delete()
        transaction.on_commit(partial(storage.drop, look.path, sha256=look.sha256))


def _look_px(brief: Brief) -> tuple[int, int] | None:
    """The size of a look at a brief's repeat; None: the repeat itself is hardly larger."""
    longest = max(brief.width_px, brief.height_px)
    if longest < LOOK_WORTH * LOOK_PX:
        return None
    dpi = LOOK_PX * MM_PER_INCH / max(brief.repeat.width_mm, brief.repeat.height_mm)
    return brief.repeat.pixels(dpi)


def rasters(
    brief: Brief, *, seeds: Sequence[int], limits: Limits, generator: str = "embedded", on_step: OnStep | None = None
) -> Iterator[Raster]:
    """Draw the brief once per seed and keep nothing; raises what `draw` raises."""
    check(brief, limits, seeds)
    source = generator_named(generator)
    for number, seed in enumerate(seeds):
        yield from source.generate(brief, [seed], limits, part_of(on_step, number, len(seeds)))


def palettes() -> dict[str, tuple[str, ...]]:
    """The palettes that have a name, with their colours by role, in the order of their names."""
    return dict(sorted(NAMED_PALETTES.items()))


def recolour(artwork: Artwork, palette: str | Sequence[str]) -> Artwork:
    """The same drawing in other colours, exactly: every pixel keeps its index, and no model runs.

    palette: see `colourway`. Raises InvalidBrief, NotAColour, UnknownPalette, ArtworkMissing.
    """
    colours = colourway(artwork, palette)
    raster = raster_of(artwork)
    said = {"recoloured": artwork.sha256, "palette": colours}
    return _keep(
        replace(raster, palette=Palette(colours), origin=f"the colours changed, no pixel drawn anew: {raster.origin}"),
        words=artwork.words,
        key=hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest(),
        generator=artwork.generator,
        fingerprint=artwork.fingerprint,
    )


def resized(artwork: Artwork, *, width_px: int, height_px: int, repeat: Repeat) -> Artwork:
    """The same design in so many pixels, for a cloth that shrinks otherwise; the artwork itself where it has them.

    Raises ArtworkMissing.
    """
    if (artwork.width_px, artwork.height_px) == (width_px, height_px):
        return artwork
    said = {"resized": artwork.sha256, "size_px": [width_px, height_px]}
    return _keep(
        at_size(raster_of(artwork), width_px=width_px, height_px=height_px, repeat=repeat),
        words=artwork.words,
        key=hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest(),
        generator=artwork.generator,
        fingerprint=artwork.fingerprint,
    )


def at_size(raster: Raster, *, width_px: int, height_px: int, repeat: Repeat) -> Raster:
    """The same drawing in so many pixels, each the nearest of the old: no colour is mixed, and the repeat closes."""
    if (raster.width_px, raster.height_px) == (width_px, height_px):
        return raster
    rows = np.arange(height_px) * raster.height_px // height_px
    columns = np.arange(width_px) * raster.width_px // width_px
    before = f"{raster.width_px} x {raster.height_px}"
    return replace(
        raster,
        indices=np.ascontiguousarray(raster.indices[rows[:, None], columns[None, :]]),
        repeat=repeat,
        origin=f"brought from {before} to {width_px} x {height_px} pixels for another cloth: {raster.origin}",
    )


def colourway(artwork: Artwork, palette: str | Sequence[str]) -> tuple[str, ...]:
    """'#rrggbb' by index that a palette gives an artwork: a named one by the role each colour plays, a list as it is.

    Raises InvalidBrief, NotAColour, UnknownPalette.
    """
    count = len(artwork.palette)
    if isinstance(palette, str):
        named = palette_named(palette)
        roles = artwork.roles or range(count)
        if max(roles) >= len(named):
            raise InvalidBrief(
                f"The palette {palette!r} has {len(named)} colours, too few for this design. Give {count} colours.",
                fields={"field": "palette", "value": len(named), "limit": count, "remedy": f"Give {count} colours."},
            )
        return tuple(named[role] for role in roles)
    colours = _distinct(palette)
    if len(colours) != count:
        raise InvalidBrief(
            f"The design has {count} colours and {len(colours)} were given. Give one for each, in their order.",
            fields={
                "field": "palette", "value": len(colours), "limit": count, "remedy": f"Give {count} colours.",
            },
        )  # fmt: skip
    return colours


def keep_reference(data: bytes, *, whole: bool = False) -> str:
    """Read an untrusted picture and keep its plain pixels, at most REFERENCE_PX a side unless it is wanted whole.

    Returns the kept file's sha256. Raises UnreadableImage.
    """
    pixels = read_reference(data)
    scale = 1.0 if whole else min(1.0, REFERENCE_PX / max(pixels.shape[:2]))
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return storage.put(png_of(pixels), shelf=REFERENCES)[0]


def check_upload(data: bytes, *, repeat: Repeat) -> None:
    """Refuse an untrusted picture that can't be taken as the repeat, before it is asked for as a design.

    Raises UnreadableImage, InvalidBrief where its proportions are others, SeamTooVisible where it does not meet itself.
    """
    pixels = read_reference(data)
    wider = stretch_of(pixels, repeat)
    if max(wider, 1 / wider) >= SEEN_STRETCH:
        height, width = pixels.shape[:2]
        raise InvalidBrief(
            f"The file has {width} x {height} pixels, and one repeat is {repeat.width_mm:g} x {repeat.height_mm:g} mm: "
            f"it would be stretched by {max(wider, 1 / wider) - 1:.0%}. Send exactly one repeat.",
            fields={"field": "reference", "measured": f"{width} x {height}", "limit": f"{SEEN_STRETCH - 1:.0%}"},
        )
    refuse_open_tile(pixels, repeat)


def kept_reference(sha256: str) -> NDArray[np.uint8]:
    """A kept reference picture as (H, W, 3) uint8 sRGB. Raises ArtworkMissing."""
    return read_png(storage.get(f"{REFERENCES}/{sha256[:2]}/{sha256}.png", sha256=sha256))


def raster_of(artwork: Artwork) -> Raster:
    """The artwork's pixels, checked against its digest. Raises ArtworkMissing."""
    indices, _ = read_indexed_png(storage.get(artwork.path, sha256=artwork.sha256))
    return raster_with(artwork, indices)


def raster_with(artwork: Artwork, indices: IndexArray) -> Raster:
    """Other pixels, such as fewer, with the artwork's colours, roles and repeat."""
    return Raster(
        indices=indices,
        palette=Palette(tuple(artwork.palette)),
        repeat=Repeat(artwork.repeat_width_mm, artwork.repeat_height_mm, Layout(artwork.layout)),
        seed=artwork.seed,
        origin=artwork.origin,
        roles=tuple(artwork.roles),
        notes=tuple(artwork.notes),
    )


def preview_png(
    artwork: Artwork,
    *,
    size_px: int = 512,
    columns: int = 1,
    rows: int = 1,
    colours: tuple[str, ...] | None = None,
) -> bytes:
    """A PNG of `columns` x `rows` repeats in their layout and proportions, the longer side `size_px` or a little less.

    colours: '#rrggbb' by index, what each colour of the artwork becomes on the cloth; None: its own.
    """
    palette = Palette(colours or tuple(artwork.palette))
    digest = hashlib.sha256(" ".join(palette.colours).encode()).hexdigest()[:12]
    kind = f"{size_px}px-{columns}x{rows}-{digest}.png"
    return storage.derived(
        artwork.sha256,
        kind,
        lambda: picture_png(replace(raster_of(artwork), palette=palette), size_px=size_px, columns=columns, rows=rows),
    )


def picture_png(raster: Raster, *, size_px: int, columns: int = 1, rows: int = 1) -> bytes:
    """A PNG of a raster in its own colours, as `preview_png` makes of an artwork."""
    # By the finished millimetres: a woven repeat has other distances between its ends than between its picks.
    across_mm, down_mm = raster.repeat.width_mm, raster.repeat.height_mm
    px_per_mm = size_px / max(across_mm * columns, down_mm * rows)
    width = max(2, int(across_mm * px_per_mm) // 2 * 2)
    step = raster.repeat.layout.step[1]
    height = max(step, int(down_mm * px_per_mm) // step * step)
    scale = width / raster.width_px
    rgb = _in_colours(raster)
    shrinking = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    small = cv2.resize(rgb, (width, height), interpolation=shrinking)
    return png_of(np.ascontiguousarray(layout_tiling(small, raster.repeat.layout, columns, rows)))


def _in_colours(raster: Raster) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: each pixel in its colour. A table that OpenCV looks up takes a fifth of numpy's time."""
    table = np.zeros((256, 1, 3), np.uint8)
    table[: len(raster.palette), 0] = raster.palette.rgb()
    rgb: NDArray[np.uint8] = cv2.LUT(cv2.merge([raster.indices] * 3), table)
    return rgb


def generators() -> list[str]:
    """The names of all generators in the settings."""
    return sorted(settings.WEFTLINE["generators"])


@lru_cache(maxsize=8)
def generator_named(name: str) -> Generator:
    """The generator registered under that name, made once per process. Raises UnknownGenerator."""
    paths = settings.WEFTLINE["generators"]
    if name not in paths:
        raise UnknownGenerator(
            f"There is no generator called '{name}'; the settings have: {', '.join(sorted(paths))}.",
            fields={"field": "generator", "value": name},
        )
    path, _, folder = paths[name].partition(":")
    module, _, attribute = path.rpartition(".")
    made: Generator = getattr(import_module(module), attribute)(*([folder] if folder else []))
    return made


def _keep(raster: Raster, *, words: str, key: str, generator: str, fingerprint: str, is_look: bool = False) -> Artwork:
    sha256, place = storage.put(indexed_png(raster))
    try:
        with transaction.atomic():
            artwork, made = Artwork.objects.get_or_create(
                key=key,
                defaults={
                    "sha256": sha256,
                    "width_px": raster.width_px,
                    "height_px": raster.height_px,
                    "repeat_width_mm": raster.repeat.width_mm,
                    "repeat_height_mm": raster.repeat.height_mm,
                    "layout": raster.repeat.layout.value,
                    "palette": list(raster.palette.colours),
                    "words": words,
                    "generator": generator,
                    "fingerprint": fingerprint,
                    "seed": raster.seed,
                    "origin": raster.origin,
                    "roles": list(raster.roles),
                    "notes": list(raster.notes),
                    "path": place,
                },
            )
            if made and not is_look:  # a look is compared with nothing
                likeness.keep_mark(artwork, raster)
    except IntegrityError:  # another brief gave the very same picture: it is one artwork
        return Artwork.objects.get(sha256=sha256)
    return artwork


def _key(brief: Brief, seed: int, limits: Limits, generator: str, fingerprint: str) -> str:
    reference = None
    if brief.reference is not None:
        pixels = np.ascontiguousarray(brief.reference)
        reference = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    said = {
        "words": brief.words, "repeat": asdict(brief.repeat), "size_px": [brief.width_px, brief.height_px],
        "palette": brief.palette, "reference": reference, "seed": seed, "limits": asdict(limits),
        "knobs": asdict(brief.knobs), "parents": [_digest_of(parent) for parent in brief.parents],
        "strength": brief.strength, "share": brief.share, "redraw": brief.redraw,
        "generator": generator, "fingerprint": fingerprint,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _digest_of(parent: Raster) -> str:
    """What of an earlier drawing bears on one that goes on from it: pixels, colours, roles, repeat and seed."""
    said = [parent.indices.shape, parent.palette.colours, parent.roles, asdict(parent.repeat), parent.seed]
    pixels = np.ascontiguousarray(parent.indices).tobytes()
    return hashlib.sha256(json.dumps(said).encode() + pixels).hexdigest()


def check(brief: Brief, limits: Limits, seeds: Sequence[int] = ()) -> None:
    """Refuse a brief that no generator could draw. Raises InvalidBrief, NotAColour; `fields["field"]` says where."""
    for field, value in (("width_px", brief.width_px), ("height_px", brief.height_px)):
        if not 16 <= value <= LARGEST_PX:
            raise InvalidBrief(
                f"The repeat would be {brief.width_px} x {brief.height_px} pixels; each side has to be between 16 and "
                f"{LARGEST_PX}. Choose another size.",
                fields={"field": "repeat_mm", "value": value, "measured": field},
            )
    layout = brief.repeat.layout
    for side, size_px, parts in (
        ("height", brief.height_px, layout.drop.denominator),
        ("width", brief.width_px, layout.shift.denominator),
    ):
        if size_px % parts:
            raise InvalidBrief(
                f"A {layout.value.replace('_', '-')} repeat needs a {side} in pixels that can be divided by {parts}, "
                f"and {size_px} can't.",
                fields={"field": "repeat_mm", "measured": size_px, "limit": parts},
            )
    if limits.max_colours < 2:
        raise InvalidBrief(
            "A design needs two colours at least: a ground and a motif.", fields={"field": "max_colours"}
        )
    if not brief.words.strip() and brief.reference is None and not brief.parents:
        raise InvalidBrief(NO_WORDS, fields={"field": "words"})
    if len(brief.words) > LONGEST_WORDS:
        raise _out_of_range(
            f"The words are {len(brief.words)} characters long; {LONGEST_WORDS} are read at most.",
            field="words", value=len(brief.words), limit=LONGEST_WORDS, remedy="Shorten them.",
        )  # fmt: skip
    for seed in seeds:
        if not 0 <= seed <= LARGEST_SEED:
            _refuse_outside("seed", seed, 0, LARGEST_SEED)
    if brief.palette is not None:
        _check_palette(brief.palette, limits)
    _check_parents(brief)


def _check_palette(palette: Sequence[str], limits: Limits) -> None:
    if len(palette) < 2:
        raise InvalidBrief("A palette needs two colours at least: a ground and a motif.", fields={"field": "palette"})
    if len(palette) > limits.max_colours:
        raise _out_of_range(
            f"The palette has {len(palette)} colours; {limits.max_colours} are the most that can be made here.",
            field="palette", value=len(palette), limit=limits.max_colours, remedy="Leave some out.",
        )  # fmt: skip
    _distinct(palette)


def _distinct(palette: Sequence[str]) -> tuple[str, ...]:
    """The colours as '#rrggbb'. Raises NotAColour, and InvalidBrief where one comes twice."""
    colours = tuple(parse_colour(colour) for colour in palette)
    for number, colour in enumerate(colours):
        if colour in colours[:number]:
            raise _out_of_range(
                f"Two of the colours are the same: {colour}.",
                field="palette", value=colour, limit="each colour once", remedy="Leave one out, or change it.",
            )  # fmt: skip
    return colours


def _check_parents(brief: Brief) -> None:
    for name, knob in (("scale", brief.knobs.scale), ("density", brief.knobs.density)):
        _refuse_outside(name, knob, LEAST_KNOB, MOST_KNOB)
    _refuse_outside("strength", brief.strength, 0, 1)
    _refuse_outside("share", brief.share, 0, 1)
    parents = brief.parents
    if len(parents) > 2:
        raise _out_of_range(
            f"{len(parents)} drawings were given to go on from; two are the most.",
            field="parents", value=len(parents), limit=2, remedy="Choose one, or two to meet between.",
        )  # fmt: skip
    for parent in parents:
        if parent.repeat.layout is not brief.repeat.layout:
            asked, drawn = (each.value.replace("_", " ") for each in (brief.repeat.layout, parent.repeat.layout))
            raise _out_of_range(
                f"The drawing to go on from is set {drawn}, and the new one would be set {asked}.",
                field="layout", value=asked, limit=drawn, remedy=f"Keep the layout {drawn}, or draw from the words.",
            )  # fmt: skip
    if brief.redraw and len(parents) != 1:
        raise _out_of_range(
            "Colours are drawn anew in exactly one earlier drawing.",
            field="redraw", value=len(parents), limit=1, remedy="Choose one drawing.",
        )  # fmt: skip
    for index in brief.redraw:
        _refuse_outside("redraw", index, 0, len(parents[0].palette) - 1)


def _refuse_outside(field: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # also refuses NaN
        raise _out_of_range(
            f"The {field} is {value:.10g}; it has to be between {least:.10g} and {most:.10g}.",
            field=field, value=f"{value:.10g}", limit=[least, most], remedy="Choose a value between them.",
        )  # fmt: skip


def _out_of_range(sentence: str, *, field: str, value: Any, limit: Any, remedy: str) -> InvalidBrief:
    fields = {"field": field, "value": value, "limit": limit, "remedy": remedy}
    return InvalidBrief(f"{sentence} {remedy}", fields=fields)


def _note_card(source: Generator, generator: str, fingerprint: str) -> None:
    card = getattr(source, "card", None)
    if card is not None:
        ModelCard.objects.get_or_create(fingerprint=fingerprint, defaults={"generator": generator, "card": card()})
