"""What is understood of a request: the family, what it can't show, how dense; and what the customer is told."""

import pytest

from generation.backends.proposals import palette_for, ranked_families, understand
from generation.domain.palette import NAMED_PALETTES
from generation.domain.pattern import Knobs

FLOWERS = [
    "simple_flower",
    "flower_head",
    "daisy",
    "tulip",
    "ditsy",
    "sprig",
    "line_flower",
    "poppy",
    "meadow",
    "folk_flower",
    "rose",
    "peony",
    "hibiscus",
]
LEAVES = ["branch", "big_leaf", "tossed_leaves", "palm", "monstera", "sprig"]
TROPICS = ["monstera", "palm", "hibiscus"]

# Requests as people write them, none from the templates of the captions, with the families that answer them.
BRIEFS: dict[str, list[str]] = {
    "a kitten that sits and looks at you": ["cats"],
    "our shop cat, as a print for tote bags": ["cats"],
    "purring feline friends for pyjamas": ["cats"],
    "a sly red fox for a boy's bedroom": ["foxes"],
    "vixen and cubs of the autumn wood": ["foxes"],
    "Easter bunnies hopping": ["rabbits"],
    "hares in the spring grass": ["rabbits"],
    "Peter Rabbit feeling for a baby blanket": ["rabbits"],
    "toadstools from a fairy tale": ["mushrooms"],
    "fungi of the forest floor": ["mushrooms"],
    "champignons for an apron": ["mushrooms"],
    "monarchs fluttering over the cloth": ["butterflies"],
    "moths and butterflies, botanical plate style": ["butterflies"],
    "little sparrows for a child's dress": ["birds"],
    "robins at the feeder in winter": ["birds"],
    "swallows in flight": ["birds"],
    "koi carp swimming": ["fish"],
    "sardines for a kitchen towel": ["fish"],
    "tropical aquarium fishes": ["fish"],
    "things you find on the beach: conches and cockles": ["shells", "starfish"],
    "scallop shells for a bathroom": ["shells"],
    "five-armed sea stars": ["starfish"],
    "a reef under water": ["coral", "seaweed", "fish"],
    "red coral branches on white": ["coral"],
    "kelp forest swaying": ["seaweed"],
    "regatta on the Baltic, white sails": ["sailboats"],
    "sailing dinghies for a boy's room": ["sailboats"],
    "a sailor's anchor for a marine shirt": ["anchors"],
    "ahoy, anchors aweigh": ["anchors"],
    "big swirling acanthus for an opera house": ["damask"],
    "Venetian palazzo wall covering, brocade": ["damask", "ogee"],
    "scenes of shepherds and cottages in one ink": ["toile"],
    "French country landscape engraving with trees and a windmill": ["toile"],
    "toile for a guest bedroom": ["toile"],
    "climbing roses like in grandmother's garden": ["rose"],
    "rosebuds for a nightdress": ["rose"],
    "lush peonies, wedding stationery feeling": ["peony"],
    "aloha shirt with large blossoms": ["hibiscus"],
    "exotic flowers of Honolulu": ["hibiscus"],
    "split-leaf philodendron": ["monstera"],
    "swiss cheese plant for a cafe sofa": ["monstera"],
    "Palm Springs hotel, fronds": ["palm"],
    "fan palms for pool towels": ["palm"],
    "jungle foliage for a bar": TROPICS,
    "Gatsby party, golden fans": ["deco_fans", "scallops"],
    "1920s ballroom geometry": ["deco_fans"],
    "hippie batik with dyed rings": ["shibori"],
    "tie-dye for a surf brand": ["shibori"],
    "grandma's quilt": ["patchwork"],
    "sewn together from scraps": ["patchwork"],
    "oak floor laid in herringbone blocks": ["parquet", "herringbone"],
    "wicker chair seat": ["basket_weave"],
    "rattan basketry": ["basket_weave"],
    "one calm blossom on a stalk": ["simple_flower", "tulip", "line_flower"],
    "a bloom seen from above, graphic": ["flower_head", "poppy", "daisy"],
    "ox-eye daisies in a field": ["daisy", "meadow"],
    "margeritas, cheerful, for a picnic": ["daisy"],
    "Dutch tulip fields": ["tulip"],
    "tiny blossoms all over like an old tea dress": ["ditsy"],
    "Liberty style small flowers": ["ditsy"],
    "olive twigs for table linen": ["branch", "sprig"],
    "eucalyptus for a spa": ["branch"],
    "fern fronds from the woods": ["branch", "palm"],
    "one large leaf with veins": ["big_leaf"],
    "leaves falling in October": ["tossed_leaves"],
    "a flower drawn with a single pen line": ["line_flower"],
    "outline blossoms, no filling": ["line_flower"],
    "Finnish poppies, huge, sixties": ["poppy"],
    "rowan berries on a twig": ["berries"],
    "holly berries for Christmas": ["berries"],
    "cornflowers and grasses by the roadside": ["meadow"],
    "Hungarian embroidery flower, symmetrical": ["folk_flower"],
    "Swedish folk art tulip and leaves": ["folk_flower", "tulip"],
    "flowers": FLOWERS,
    "something with leaves": LEAVES,
    "polka dots for a fifties skirt": ["dots"],
    "large spots in rows": ["dots", "loose_dots"],
    "irregular painted dots like pebbles": ["loose_dots", "dots"],
    "stars for a pyjama": ["stars"],
    "twinkling night sky": ["stars", "moons"],
    "hearts for Valentine's": ["hearts"],
    "teardrop shapes from Kashmir": ["paisley", "drops"],
    "Persian boteh for a silk tie": ["paisley"],
    "snowy spruces": ["fir_trees"],
    "a wood of pine trees for a cabin": ["fir_trees"],
    "lemons for a kitchen in Amalfi": ["fruit"],
    "cherries for a summer skirt": ["fruit"],
    "orchard apples": ["fruit"],
    "paper cut-outs in the manner of Matisse": ["cut_outs"],
    "abstract organic blobs, modern gallery": ["cut_outs", "watercolour"],
    "eighties squiggles and triangles": ["memphis"],
    "short dabs of a brush": ["brush_dashes"],
    "rain on a window": ["drops"],
    "crescent moons and suns for a boho blanket": ["moons"],
    "deckchair stripes": ["stripes"],
    "Breton top": ["stripes", "pinstripe", "anchors"],
    "a banker's suit with thin white lines": ["pinstripe"],
    "candy cane slanted bands": ["diagonal_stripes"],
    "Highland kilt": ["plaid"],
    "lumberjack shirt": ["plaid", "gingham"],
    "picnic cloth squares, Bardot": ["gingham"],
    "windowpane for a blazer": ["windowpane"],
    "chessboard": ["checkerboard"],
    "ska checkerboard": ["checkerboard"],
    "golf sweater diamonds": ["argyle"],
    "dogtooth for a winter coat": ["houndstooth"],
    "tweed jacket weave": ["herringbone", "houndstooth"],
    "zigzags like Missoni": ["chevron"],
    "Japanese overlapping sea waves": ["scallops", "waves"],
    "mermaid scales": ["scallops"],
    "gentle rolling waves": ["waves"],
    "onion-shaped Moroccan lattice": ["ogee", "quatrefoil"],
    "honeycomb for a beekeeper": ["hexagons"],
    "Scandinavian triangles": ["triangles"],
    "garden lattice with blossoms": ["trellis"],
    "zellige tiles from Fez": ["quatrefoil"],
    "Norwegian ski sweater": ["fair_isle"],
    "ancient Greek border": ["greek_key"],
    "mid-century concentric rings": ["circles"],
    "zebra hide": ["zebra"],
    "big cat spots for a glamorous blouse": ["leopard"],
    "cheetah": ["leopard"],
    "army jacket": ["camo"],
    "endpapers of an old book, swirling": ["marble"],
    "Venetian terrace floor with stone chips": ["terrazzo"],
    "Uzbek robe with blurred diamonds": ["ikat"],
    "wet paint pooling on paper": ["watercolour", "marble"],
}

# Nothing that any of the programs can show.
UNKNOWN = (
    "a fox playing the cello", "my grandmother's face", "the skyline of New York", "a red sports car", "dinosaurs",
    "robots fighting", "a portrait of Mozart", "football players", "pizza slices", "a map of Denmark",
    "steam locomotives", "elephants with parasols", "the Eiffel tower", "ballet dancers", "astronauts on the moon",
    "musical notes and violins", "coffee cups and croissants", "skulls with top hats", "typewriters",
    "hot air balloons", "dachshunds in sweaters", "a pirate with a parrot", "unicorns jumping over castles",
    "the logo of our bank", "letters of the alphabet", "chess pieces", "bicycles", "sushi", "dragons breathing fire",
    "horses galloping", "teapots", "lighthouses", "cowboys with lassos", "a knight on a horse", "computer keyboards",
    "spaceships", "tennis rackets", "champagne bottles", "umbrellas and raincoats", "monkeys swinging", "giraffes",
    "penguins on ice", "camels in a caravan", "a crowd of people dancing", "handwriting of a poem",
    "the battle of Waterloo", "dogs chasing a ball", "shoes and handbags", "circuit boards",
    "scissors and thread spools", "a wedding couple", "tractors on a farm", "cows and pigs", "dolphins leaping",
    "guitars", "spiders in a web", "bees making honey", "feathers and dream catchers", "cupcakes",
    "fireworks over London", "lions and tigers", "vintage cameras", "clocks and pocket watches", "a dentist's chair",
)  # fmt: skip

# A second round, written after the first was used to choose words and thresholds: the honest measure of both.
FRESH_BRIEFS: dict[str, list[str]] = {
    "a Siamese by the window, for cushions": ["cats"],
    "foxes curled up asleep": ["foxes"],
    "white rabbit down the hole": ["rabbits"],
    "chanterelles and ceps": ["mushrooms"],
    "swallowtails and peacocks on the wing, lepidopterist": ["butterflies"],
    "blackbirds singing at dawn": ["birds"],
    "a school of mackerel": ["fish"],
    "whelks and limpets": ["shells"],
    "starfishes in a rock pool": ["starfish"],
    "branching corals in peach": ["coral"],
    "long ribbons of seaweed": ["seaweed"],
    "little yachts for a sailing club": ["sailboats"],
    "anchor for sailors": ["anchors"],
    "sumptuous brocade for a baroque castle": ["damask"],
    "rural idyll drawn in blue ink, like old porcelain": ["toile"],
    "rambling roses for a cottage": ["rose"],
    "full-blown peonies in blush": ["peony"],
    "a surfer's Hawaiian shirt": ["hibiscus", "palm"],
    "monstera for a plant shop": ["monstera"],
    "coconut palms and holiday": ["palm"],
    "jazz age fans in black and gold": ["deco_fans"],
    "indigo shibori for a kimono": ["shibori"],
    "an Amish bedspread": ["patchwork"],
    "brickwork": ["parquet"],
    "cane webbing of a Thonet chair": ["basket_weave"],
    "minimal flower with two leaves": ["simple_flower", "tulip", "line_flower"],
    "mod flower power": ["flower_head", "poppy", "daisy"],
    "daisy chain for a girl's dress": ["daisy"],
    "tulips": ["tulip"],
    "dainty scattered florals for a blouse": ["ditsy", "sprig"],
    "laurel leaves on a twig": ["branch"],
    "banana leaf": ["big_leaf", "palm"],
    "leaf litter in November": ["tossed_leaves"],
    "continuous line floral": ["line_flower"],
    "wild grasses and buttercups": ["meadow"],
    "mistletoe and holly": ["berries"],
    "Polish folk flowers": ["folk_flower"],
    "pois for a ladybird costume": ["dots", "loose_dots"],
    "shooting stars": ["stars"],
    "love hearts": ["hearts"],
    "bandana": ["paisley"],
    "a conifer wood in snow": ["fir_trees"],
    "citrus fruit, Mediterranean": ["fruit"],
    "torn paper shapes, abstract": ["cut_outs"],
    "Sottsass laminate": ["memphis"],
    "brush marks in ink": ["brush_dashes"],
    "dew drops": ["drops"],
    "the sun and the moon": ["moons"],
    "awning of a beach bar, broad bands": ["stripes"],
    "ticking for a mattress": ["pinstripe", "stripes"],
    "regimental tie": ["diagonal_stripes"],
    "clan tartan": ["plaid"],
    "Dorothy's pinafore in blue check": ["gingham"],
    "graph paper": ["windowpane"],
    "chequered flag": ["checkerboard"],
    "harlequin lozenges": ["argyle"],
    "pied-de-poule": ["houndstooth"],
    "fishbone tweed": ["herringbone"],
    "flame stitch bargello": ["chevron"],
    "ripples on a lake": ["waves"],
    "dragon scales": ["scallops"],
    "Turkish ogival medallions": ["ogee"],
    "beehive cells": ["hexagons"],
    "bunting triangles": ["triangles"],
    "lattice with climbing flowers": ["trellis"],
    "azulejos of Lisbon": ["quatrefoil"],
    "Icelandic jumper": ["fair_isle"],
    "labyrinth border": ["greek_key"],
    "bullseye targets": ["circles"],
    "tiger stripes": ["zebra"],
    "jaguar skin": ["leopard"],
    "soldier's camouflage": ["camo"],
    "suminagashi": ["marble"],
    "mosaic of stone shards": ["terrazzo"],
    "Silk Road warp-dyed cloth": ["ikat"],
    "aquarelle blots": ["watercolour"],
}
FRESH_UNKNOWN = (
    "a violin and a piano", "volcanoes erupting", "the Statue of Liberty", "my dog Bello", "a row of terraced houses",
    "submarines", "ice cream cones", "basketball", "turtles on skateboards", "a chef with a moustache", "helicopters",
    "crocodiles in pyjamas", "laptops and phones", "ballerinas", "traffic lights", "squirrels with acorns", "mummies",
    "wine glasses", "a samurai with a sword", "wolves howling", "windows of a cathedral", "hamburgers and fries",
    "a marching band", "toothbrushes", "snakes and ladders", "garden gnomes", "swimmers in a pool",
    "a king on a throne", "motorcycles", "telephones", "frogs on lily pads", "eyeglasses", "hands shaking",
    "a thunderstorm over a city", "bowling pins", "roller skates", "bats in a cave", "a pair of jeans",
    "bread and cheese", "wizards casting spells", "octopus wearing a monocle", "skeletons", "flags of Europe",
    "cactus in a pot", "kangaroos boxing", "seagulls on poles", "a newspaper page", "dice and playing cards",
    "mermaids singing", "ducks in wellingtons", "candles", "lobsters", "balloons", "keys and locks", "angels",
    "snowmen", "cars in a traffic jam", "a kitchen with pots", "whales", "poodles",
)  # fmt: skip


def top_one(briefs: dict[str, list[str]]) -> tuple[float, list[str]]:
    """Share of the briefs whose best family answers them, and the others with what they got."""
    got = {words: ranked_families(words)[0][0].name for words in briefs}
    missed = [f"{words}: {name}" for words, name in got.items() if name not in briefs[words]]
    return 1 - len(missed) / len(briefs), missed


def told_unknown(words: str) -> bool:
    return any(note.startswith("Nothing we draw shows") for note in understand(words, 1).notes)


def test_words_outside_the_templates_find_the_family_that_answers_them():
    first, missed = top_one(BRIEFS)
    assert first >= 0.92, missed
    fresh, missed = top_one(FRESH_BRIEFS)
    assert fresh >= 0.93, missed


def test_what_can_be_drawn_and_what_can_not_are_told_apart():
    drawn = [words for words in (*BRIEFS, *FRESH_BRIEFS) if told_unknown(words)]
    strange = [words for words in (*UNKNOWN, *FRESH_UNKNOWN) if not told_unknown(words)]
    assert len(drawn) / len((*BRIEFS, *FRESH_BRIEFS)) <= 0.09, drawn
    assert len(strange) / len((*UNKNOWN, *FRESH_UNKNOWN)) <= 0.08, strange


def test_what_is_named_outright_is_drawn_whatever_the_seed():
    for words, family in (
        ("cats", "cats"),
        ("a fox", "foxes"),
        ("houndstooth coat", "houndstooth"),
        ("damask", "damask"),
    ):
        assert {understand(words, seed).family.name for seed in range(8)} == {family}


def test_a_wide_request_is_answered_by_several_families():
    for words in ("floral", "minimalist floral design with a Nordic color palette"):
        assert len({understand(words, seed).family.name for seed in range(12)}) >= 4


def test_two_motifs_that_are_named_stand_beside_each_other():
    for seed in range(4):
        proposal = understand("foxes and mushrooms", seed)
        assert {proposal.family.name, proposal.companion.name} == {"foxes", "mushrooms"}
        assert proposal.notes == ()


def test_a_motif_that_can_not_stand_on_the_other_is_told_of():
    proposal = understand("birds on stripes", 1)
    assert f"this one shows {proposal.family.name}" in proposal.notes[0]
    for words in ("garden trellis with small blossoms", "birds for a boy's room", "a fan palm"):
        assert understand(words, 1).notes == ()


def test_a_refused_motif_is_not_drawn():
    for seed in range(6):
        assert understand("leaves, no flowers", seed).family.name in LEAVES


def test_the_same_words_and_seed_are_understood_alike():
    assert understand("navy roses for curtains", 4) == understand("navy roses for curtains", 4)
    assert understand("navy roses for curtains", 4).style != understand("navy roses for curtains", 5).style


def test_the_model_is_told_nothing_of_colour():
    assert understand("pale coral birds on a navy ground", 0).words == "birds"


@pytest.mark.parametrize("words", ["цветы на чёрном", "花柄のカーテン", "زهور", "12345", "?!", "...", "λουλούδια"])
def test_words_in_another_script_are_answered_with_a_stated_fallback(words):
    proposal = understand(words, 3)
    assert proposal.family.name in FLOWERS
    assert "could not be read" in proposal.notes[0]
    assert "simple floral" in proposal.notes[0]


def test_signs_are_read_by_their_names():
    proposal = understand("🦊🍄", 1)
    assert {proposal.family.name, proposal.companion.name} == {"foxes", "mushrooms"}
    assert "fox face, mushroom" in proposal.notes[0]


@pytest.mark.parametrize("words", ["", "   ", "x" * 10_000, "roses " * 2_000, "\x00\x01", "no", "navy", "and and and"])
def test_any_words_are_understood_somehow(words):
    proposal = understand(words, 2)
    assert all(len(note) < 240 for note in proposal.notes)
    assert 2 <= len(palette_for(words, 5).palette) <= 5


@pytest.mark.parametrize(
    ("words", "density"),
    [
        ("roses", 1.0),
        ("densely packed roses", 1.8),
        ("airy sprigs", 0.65),
        ("all-over leaves", 1.3),
        ("not too busy floral", 1 / 1.5),
        ("full-blown peonies", 1.0),
    ],
)
def test_words_of_density_turn_the_knob(words, density):
    assert understand(words, 1).knobs.density == pytest.approx(density, rel=0.13)
    assert understand(words, 1).knobs.scale == Knobs().scale


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("airy but packed dots", "can't both be had"),
        ("roses in rows, scattered", "can't both be had"),
        ("scattered plaid", "runs on over the cloth"),
        ("border print of tulips", "repeat over the whole cloth"),
    ],
)
def test_words_that_exclude_each_other_or_can_not_be_made_are_told_of(words, told):
    assert any(told in note for note in understand(words, 1).notes)


@pytest.mark.parametrize(
    ("words", "palette"),
    [
        ("soft baby nursery", "pastel"),
        ("tropical night", "tropical night"),
        ("rainy day in Copenhagen", "rain"),
        ("drizzle in Hamburg", "rain"),
        ("cocktail bar in Havana after dark", "tropical night"),
        ("a newborn's cradle", "pastel"),
        ("Halloween", "gothic"),
        ("cats", "nordic"),
        ("triangles", "nordic"),
    ],
)
def test_moods_outside_the_lexicon_choose_a_palette_and_say_so(words, palette):
    reading = palette_for(words, 5)
    assert reading.palette.colours == NAMED_PALETTES[palette][:5]
    assert palette in words.lower() or not reading.notes or palette in reading.notes[0]
