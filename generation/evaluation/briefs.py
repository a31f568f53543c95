"""What the generator is asked when it is measured: briefs to look at, and captions that it never saw in training.

Neither list is for tuning: a change that is made to answer one of these briefs better spoils the measure.
"""

from __future__ import annotations

from dataclasses import dataclass

from generation.domain.palette import COLOUR_NAMES, palette_named
from generation.domain.pattern import Brief, Knobs, Layout, Palette, Repeat

STRAIGHT, HALF_DROP, HALF_BRICK, MIRROR = Layout.STRAIGHT, Layout.HALF_DROP, Layout.HALF_BRICK, Layout.MIRROR


@dataclass(frozen=True)
class Ask:
    """One request with the answer a textile designer would expect."""

    words: str
    families: tuple[str, ...]  # names of the corpus families, any of which answers the words
    colours: str = ""  # what the eye should find: a palette's name, or names of colours with commas between
    layout: Layout = STRAIGHT
    repeat_mm: float = 170.0

    def brief(self, size_px: int, *, palette: tuple[str, ...] | None = None) -> Brief:
        """The request for a square repeat of `size_px` (even); palette: exact colours, or None: from the words."""
        repeat = Repeat(self.repeat_mm, self.repeat_mm, self.layout)
        return Brief(self.words, repeat, size_px, size_px, palette=palette, knobs=Knobs())

    def expected(self) -> Palette | None:
        """The colours that the eye should find, or None where the words name none."""
        if not self.colours:
            return None
        names = [name.strip() for name in self.colours.split(",")]
        if all(name in COLOUR_NAMES for name in names):
            return Palette(tuple(COLOUR_NAMES[name] for name in names))
        return Palette(palette_named(self.colours))


# Natural words over all kinds of textile design; eight to a row of the sheet.
CONTACT_SHEET: tuple[Ask, ...] = (
    Ask("Minimalist floral design with a Nordic color palette", ("simple_flower", "flower_head", "line_flower",
        "daisy", "tulip"), "nordic", HALF_DROP),
    Ask("Fresh white daisies on sky blue for a summer dress", ("daisy",), "white, sky blue"),
    Ask("Tulips in a Scandinavian manner, spring palette", ("tulip",), "spring", HALF_DROP),
    Ask("Ditsy floral like an old tea dress, lavender palette", ("ditsy",), "lavender"),
    Ask("Wildflower meadow, delicate stems, botanical palette", ("meadow",), "botanical"),
    Ask("Big mid-century poppies, midcentury palette", ("poppy",), "midcentury"),
    Ask("Folk art flowers, symmetrical, in navy and red", ("folk_flower",), "navy, red", HALF_BRICK),
    Ask("Line drawing of a flower, outline only, monochrome palette", ("line_flower",), "monochrome"),
    Ask("Cabbage roses for country curtains, blush palette", ("rose",), "blush", HALF_DROP),
    Ask("Leafy eucalyptus branches, sage palette", ("branch",), "sage", HALF_DROP),
    Ask("Monstera leaves, bold, tropical palette", ("monstera",), "tropical", HALF_DROP),
    Ask("Falling leaves tossed over the cloth, autumn palette", ("tossed_leaves",), "autumn"),
    Ask("Winter berries on twigs, winter palette", ("berries",), "winter", HALF_BRICK),
    Ask("Bohemian paisley, jewel palette", ("paisley",), "jewel", HALF_DROP),
    Ask("Diamond trellis with small blossoms, spring palette", ("trellis",), "spring"),
    Ask("Damask for a hotel lobby, burgundy and gold", ("damask",), "burgundy, gold", MIRROR),
    Ask("Ogee in the Moroccan manner, terracotta palette", ("ogee",), "terracotta"),
    Ask("Toile de Jouy, a country scene in denim and ivory", ("toile",), "denim, ivory"),
    Ask("Vertical stripes, nautical palette", ("stripes",), "nautical"),
    Ask("Art deco fans in gold and black", ("deco_fans",), "gold, black"),
    Ask("Diagonal candy stripes in pink and white", ("diagonal_stripes",), "pink, white"),
    Ask("Scottish tartan in green and navy", ("plaid",), "green, navy"),
    Ask("Country gingham check in red and white", ("gingham",), "red, white"),
    Ask("Patchwork quilt, midcentury palette", ("patchwork",), "midcentury"),
    Ask("Classic houndstooth, black and white", ("houndstooth",), "black, white"),
    Ask("Herringbone tweed, earth palette", ("herringbone",), "earth"),
    Ask("Chevron zigzag, ocean palette", ("chevron",), "ocean"),
    Ask("Mushrooms in the woodland, autumn palette", ("mushrooms",), "autumn"),
    Ask("Fair Isle knit pattern, nordic palette", ("fair_isle",), "nordic"),
    Ask("Foxes in rust and cream", ("foxes",), "rust, cream", HALF_BRICK),
    Ask("Moroccan tiles, quatrefoil, teal and white", ("quatrefoil",), "teal, white"),
    Ask("Honeycomb of hexagons in mustard and charcoal", ("hexagons",), "mustard, charcoal"),
    Ask("Tessellation of triangles, pastel palette", ("triangles",), "pastel"),
    Ask("Japanese seigaiha waves, indigo palette", ("scallops",), "indigo"),
    Ask("Shibori tie-dye rings, indigo palette", ("shibori",), "indigo"),
    Ask("Butterflies in lilac and plum", ("butterflies",), "lilac, plum"),
    Ask("Polka dots, navy on white", ("dots",), "navy, white", HALF_DROP),
    Ask("Sailing boats for a boy's room, nautical palette", ("sailboats",), "nautical", HALF_DROP),
    Ask("Ikat diamonds with feathered edges, terracotta palette", ("ikat",), "terracotta"),
    Ask("Leopard print, desert palette", ("leopard",), "desert"),
    Ask("Zebra stripes in black and white", ("zebra",), "black, white"),
    Ask("Camouflage in olive and khaki", ("camo",), "olive, khaki"),
    Ask("Marbled paper, ocean palette", ("marble",), "ocean"),
    Ask("Terrazzo with stone chips, pastel palette", ("terrazzo",), "pastel"),
    Ask("Lemons for kitchen towels, citrus palette", ("fruit",), "citrus", HALF_DROP),
    Ask("Little birds for children's wear, coral and teal", ("birds",), "coral, teal", HALF_DROP),
    Ask("Goldfish, ocean palette", ("fish",), "ocean", HALF_DROP),
    Ask("Pine trees in a winter forest, winter palette", ("fir_trees",), "winter", HALF_BRICK),
)  # fmt: skip

# Captions that no template can make: each has a word that the corpus never says. Two thirds name what they want among
# other words, as most customers do; one third says it some other way. One to a family; families that look like another
# one's twin (loose dots beside dots, peony beside rose) are left out, so that there is one right answer.
HELD_OUT: tuple[Ask, ...] = (
    Ask("one lone bloom upright on its stalk, drawn as plainly as can be", ("simple_flower",)),
    Ask("oxeye daisies picked on a walk, many slim petals round a button centre", ("daisy",)),
    Ask("cup-shaped tulips as they grow in Holland", ("tulip",)),
    Ask("ditsy print of hundreds of teeny blooms, like grandma's blouse", ("ditsy",)),
    Ask("fronds with paired leaflets climbing along a twig", ("branch",)),
    Ask("loose leaves blown about by the wind", ("tossed_leaves",)),
    Ask("a flower traced with a pen, outline only, nothing coloured in", ("line_flower",)),
    Ask("giant poppies as on a Finnish raincoat", ("poppy",)),
    Ask("clusters of rowan berries, something for the jam maker", ("berries",)),
    Ask("wildflowers swaying in an unmown field with thin stems", ("meadow",)),
    Ask("Hungarian peasant embroidery flower, folk art, the same left and right", ("folk_flower",)),
    Ask("regular polka dots in rows like a flamenco skirt", ("dots",)),
    Ask("twinkling stars for a bedtime blanket", ("stars",)),
    Ask("hearts for a wedding invitation", ("hearts",)),
    Ask("Kashmir shawl with curved paisley teardrops", ("paisley",)),
    Ask("evergreen conifers standing in snow", ("fir_trees",)),
    Ask("ripe fruit from the greengrocer's crate", ("fruit",)),
    Ask("robins and wrens, tiny birds perching", ("birds",)),
    Ask("1980s postmodern mix of bars, discs and wedges, geometric confetti", ("memphis",)),
    Ask("crescent moons for astrologers", ("moons",)),
    Ask("broad striped awning cloth like a deckchair", ("stripes",)),
    Ask("barber pole stripes running at a slant", ("diagonal_stripes",)),
    Ask("Highland clan kilt tartan", ("plaid",)),
    Ask("picnic tablecloth in gingham for Dorothy's pinafore", ("gingham",)),
    Ask("thin lines crossing at right angles like graph paper", ("windowpane",)),
    Ask("a chess player's board of squares", ("checkerboard",)),
    Ask("golfer's argyle socks", ("argyle",)),
    Ask("dogtooth for a Parisian suit", ("houndstooth",)),
    Ask("an overcoat in grey herringbone, gentlemanly", ("herringbone",)),
    Ask("zigzags going up and down sharply like a seismograph", ("chevron",)),
    Ask("gently undulating wavy ribbons like ripples on a lake", ("waves",)),
    Ask("mermaid tail scales in overlapping arcs", ("scallops",)),
    Ask("onion-shaped Ottoman ogees in a curved net", ("ogee",)),
    Ask("honeycomb cells for a beekeeper", ("hexagons",)),
    Ask("pennants and pyramids, triangles in rows", ("triangles",)),
    Ask("garden fence crisscross trellis with a bloom at each crossing", ("trellis",)),
    Ask("grandmother's Icelandic jumper with knitted bands of small ornaments", ("fair_isle",)),
    Ask("meander frieze from an Athenian temple", ("greek_key",)),
    Ask("bull's-eye targets, circles within circles", ("circles",)),
    Ask("hide of a zebra seen on the savannah", ("zebra",)),
    Ask("big cat rosettes, jaguar or cheetah fur", ("leopard",)),
    Ask("army fatigues that hide a soldier", ("camo",)),
    Ask("marbled endpapers of an antique book, veined and flowing", ("marble",)),
    Ask("Venetian terrazzo floor with chippings set in cement", ("terrazzo",)),
    Ask("Uzbek ikat silk with blurred lozenges", ("ikat",)),
    Ask("Renaissance palace damask with scrolling acanthus", ("damask",)),
    Ask("engraved countryside with shepherds and ruins, like a toile", ("toile",)),
    Ask("thorny roses climbing over a thatched cottage gate", ("rose",)),
    Ask("Aloha shirt hibiscus for a Honolulu party", ("hibiscus",)),
    Ask("monstera, the split-leaf houseplant with holes", ("monstera",)),
    Ask("coconut palms of Miami Beach", ("palm",)),
    Ask("fluttering winged insects such as a red admiral", ("butterflies",)),
    Ask("swimming trout and carp of a koi pond", ("fish",)),
    Ask("seashells gathered at low tide, cockles and whelks", ("shells",)),
    Ask("a scuba diver's coral garden, antler-like branching growth", ("coral",)),
    Ask("chanterelles and fly agaric, a forager's mushrooms", ("mushrooms",)),
    Ask("regatta dinghies under sail", ("sailboats",)),
    Ask("sailor's tattoo of an anchor", ("anchors",)),
    Ask("purring tomcats sitting upright", ("cats",)),
    Ask("sly foxes with bushy tails", ("foxes",)),
    Ask("long-eared rabbits hopping at Easter", ("rabbits",)),
    Ask("hippie festival T-shirt, tie-dyed with string", ("shibori",)),
    Ask("laundry hamper wicker plaited over and under", ("basket_weave",)),
    Ask("Amish quilt sewn from scraps", ("patchwork",)),
)  # fmt: skip
