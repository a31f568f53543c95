"""The plain table of families. To add one: write a program in one of the modules beside this file, add one row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numpy.random import Generator

from generation.training.corpus import botanicals as b
from generation.training.corpus import conversationals as v
from generation.training.corpus import crafts as c
from generation.training.corpus import florals as f
from generation.training.corpus import geometrics as g
from generation.training.corpus import motifs as m
from generation.training.corpus import organics as o
from generation.training.corpus.sheet import Sheet

Program = Callable[[Sheet, Generator, Generator], tuple[str, ...]]


@dataclass(frozen=True)
class Family:
    """One kind of pattern: its program, the nouns people use for it, and how its units may stand together."""

    name: str
    draw: Program
    nouns: tuple[str, ...]
    weight: float = 1.0  # share in training
    island: bool = False  # the motif stays inside its unit: units may be dropped and may differ from each other
    airy: bool = False  # leaves room at the corners of its cell for a small companion


FAMILIES: tuple[Family, ...] = (
    Family(
        "simple_flower", f.simple_flower, ("flower", "flowers", "floral", "floral design", "bloom"), 3.0, True, True
    ),
    Family(
        "flower_head", f.flower_head, ("flower", "floral", "blossom", "flower heads", "floral pattern"), 2.0, True, True
    ),
    Family("daisy", f.daisy, ("daisy", "daisies", "marguerite", "daisy floral", "floral"), 1.5, True),
    Family("tulip", f.tulip, ("tulip", "tulips", "tulip floral", "floral"), 1.2, True, True),
    Family(
        "ditsy", f.ditsy, ("ditsy floral", "little flowers", "small florals", "liberty floral", "calico"), 2.0, True
    ),
    Family("sprig", f.sprig, ("floral sprig", "sprigs", "flower sprig", "floral"), 2.0, True, True),
    Family("branch", f.branch, ("leafy branch", "leaves", "botanical", "foliage", "twig"), 2.0, True, True),
    Family("big_leaf", f.big_leaf, ("leaf", "large leaf", "foliage", "leaves"), 1.2, True, True),
    Family("tossed_leaves", f.tossed_leaves, ("leaves", "tossed leaves", "falling leaves", "foliage"), 1.2, True),
    Family(
        "line_flower",
        f.line_flower,
        ("line art flower", "outline floral", "line drawing of a flower", "floral line art", "floral"),
        1.5,
        True,
        True,
    ),
    Family("poppy", f.poppy, ("poppy", "poppies", "big bloom", "bold floral", "floral"), 1.5, True, True),
    Family("berries", f.berries, ("berries", "berry twig", "berry branch"), 1.0, True, True),
    Family(
        "meadow", f.meadow, ("wildflowers", "wild flowers", "meadow flowers", "wild flower meadow", "floral"), 1.2, True
    ),
    Family(
        "folk_flower",
        f.folk_flower,
        ("folk floral", "folk art flower", "symmetrical floral", "folk motif", "floral"),
        1.5,
        True,
        True,
    ),
    Family("dots", m.dots, ("polka dots", "dots", "spots"), 1.0, True),
    Family("loose_dots", m.loose_dots, ("spots", "painted dots", "confetti dots"), 0.8, True),
    Family("stars", m.stars, ("stars", "star pattern"), 0.8, True),
    Family("hearts", m.hearts, ("hearts", "heart pattern"), 0.7, True),
    Family("paisley", m.paisley, ("paisley", "paisley drop", "boteh"), 1.0, True),
    Family("fir_trees", m.fir_trees, ("trees", "pine trees", "fir trees", "forest"), 0.8, True),
    Family("fruit", m.fruit, ("fruit", "fruits"), 0.9, True),
    Family("birds", m.birds, ("bird", "birds", "little birds"), 0.9, True),
    Family("cut_outs", m.cut_outs, ("abstract shapes", "cut-outs", "organic shapes"), 0.8, True),
    Family("memphis", m.memphis, ("memphis shapes", "geometric confetti", "confetti"), 0.8, True),
    Family("brush_dashes", m.brush_dashes, ("brush strokes", "dashes", "painted marks"), 0.8, True),
    Family("drops", m.drops, ("drops", "raindrops", "teardrops", "seeds"), 0.7, True),
    Family("moons", m.moons, ("sun and moon", "celestial"), 0.7, True),
    Family("stripes", g.stripes, ("stripes", "striped pattern", "stripe"), 1.0),
    Family("pinstripe", g.pinstripe, ("pinstripes", "fine stripes", "ticking stripe"), 0.7),
    Family("diagonal_stripes", g.diagonal_stripes, ("diagonal stripes", "slanted stripes"), 0.6),
    Family("plaid", g.plaid, ("plaid", "tartan", "tartan check"), 1.0),
    Family("gingham", g.gingham, ("gingham", "gingham check", "vichy check"), 0.7),
    Family("windowpane", g.windowpane, ("windowpane check", "grid", "grid lines"), 0.6),
    Family("checkerboard", g.checkerboard, ("checkerboard", "chequerboard", "squares"), 0.6),
    Family("argyle", g.argyle, ("argyle", "diamonds", "harlequin"), 0.7),
    Family("houndstooth", g.houndstooth, ("houndstooth", "dogtooth check"), 0.7),
    Family("herringbone", g.herringbone, ("herringbone", "herringbone tweed"), 0.7),
    Family("chevron", g.chevron, ("chevron", "zigzag"), 0.8),
    Family("waves", g.waves, ("waves", "wavy lines"), 0.8),
    Family("scallops", g.scallops, ("scallops", "seigaiha", "fish scales", "fans"), 0.8),
    Family("ogee", g.ogee, ("ogee", "ogee lattice", "ogee medallions"), 0.8),
    Family("hexagons", g.hexagons, ("hexagons", "honeycomb"), 0.7),
    Family("triangles", g.triangles, ("triangles", "triangle pattern"), 0.8),
    Family("trellis", g.trellis, ("trellis", "floral trellis", "lattice"), 0.9),
    Family("quatrefoil", g.quatrefoil, ("quatrefoil", "Moroccan tiles", "tile pattern"), 0.7),
    Family("fair_isle", g.fair_isle, ("Fair Isle", "Nordic knit", "knit pattern"), 0.8),
    Family("greek_key", g.greek_key, ("Greek key", "meander"), 0.4),
    Family("circles", g.circles, ("circles", "rings", "concentric circles"), 0.8),
    Family("zebra", o.zebra, ("zebra", "zebra stripes", "animal stripes"), 0.7),
    Family("leopard", o.leopard, ("leopard", "leopard print", "animal spots"), 0.8),
    Family("camo", o.camo, ("camouflage", "camo"), 0.6),
    Family("marble", o.marble, ("marble", "marbled paper", "marbling"), 0.7),
    Family("terrazzo", o.terrazzo, ("terrazzo", "stone chips"), 0.8),
    Family("ikat", o.ikat, ("ikat", "ikat diamonds"), 0.7),
    Family("watercolour", o.watercolour, ("abstract pools", "fluid abstract", "watercolour"), 0.6),
    Family("damask", b.damask, ("damask", "brocade", "damask medallion", "acanthus scrolls", "baroque"), 1.3, True),
    Family(
        "toile", b.toile, ("toile de Jouy", "toile", "pastoral scene", "country landscape", "scenic toile"), 1.2, True
    ),
    Family("rose", b.rose, ("rose", "roses", "cabbage rose", "rose floral", "rambling roses"), 1.2, True, True),
    Family("peony", b.peony, ("peony", "peonies", "full blooms", "peony floral", "floral"), 1.0, True, True),
    Family(
        "hibiscus",
        b.hibiscus,
        ("hibiscus", "tropical flower", "Hawaiian flower", "exotic bloom", "floral"),
        1.3,
        True,
        True,
    ),
    Family(
        "monstera",
        b.monstera,
        ("monstera", "monstera leaf", "tropical leaf", "jungle leaves", "swiss cheese plant"),
        1.2,
        True,
        True,
    ),
    Family("palm", b.palm, ("palm leaf", "palm fronds", "palm leaves", "tropical palm"), 1.2, True, True),
    Family("butterflies", v.butterflies, ("butterfly", "butterflies", "moth"), 1.0, True),
    Family("fish", v.fish, ("fish", "fishes", "shoal of fish", "goldfish"), 1.0, True),
    Family("shells", v.shells, ("sea shell", "seashells", "shells", "sea shells"), 0.9, True),
    Family("starfish", v.starfish, ("starfish", "sea stars"), 0.7, True),
    Family("coral", v.coral, ("coral branch", "coral reef", "corals"), 0.8, True),
    Family("seaweed", v.seaweed, ("seaweed", "sea plants", "kelp", "algae"), 0.7, True),
    Family("mushrooms", v.mushrooms, ("mushroom", "mushrooms", "toadstools"), 0.9, True),
    Family("sailboats", v.sailboats, ("sailboat", "sailing boats", "yacht", "ships", "little boats"), 0.9, True),
    Family("anchors", v.anchors, ("anchor", "anchors"), 0.8, True),
    Family("cats", v.cats, ("cat", "cats", "kittens"), 0.9, True),
    Family("foxes", v.foxes, ("fox", "foxes"), 0.9, True),
    Family("rabbits", v.rabbits, ("rabbit", "bunny", "bunnies", "hare"), 0.9, True),
    Family("deco_fans", c.deco_fans, ("art deco fans", "deco fan", "art deco", "Gatsby fans"), 0.9),
    Family("shibori", c.shibori, ("shibori", "tie-dye", "tie dye rings", "dip dyed cloth"), 0.9),
    Family("parquet", c.parquet, ("parquet", "herringbone tiles", "wooden blocks", "brick pattern"), 0.7),
    Family("basket_weave", c.basket_weave, ("basket weave", "wicker", "rattan weave", "woven strips"), 0.7),
    Family("patchwork", c.patchwork, ("patchwork", "quilt", "patchwork quilt", "quilt blocks"), 0.9),
)
