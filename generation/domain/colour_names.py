"""Names of colours as customers, mills and style sheets use them, with what they mean in sRGB.

Values of the CSS and X11 lists are kept where cloth of that name would be such a colour; names that the trade uses for
something calmer than a screen does (navy, red, lime and the like) have the trade's value.
"""

from __future__ import annotations


def _read(table: str) -> dict[str, str]:
    """Names to '#rrggbb': one family of colours to a line, 'name rrggbb' with commas between."""
    entries = (
        entry.rsplit(None, 1) for line in table.strip().splitlines() for entry in line.split(",") if entry.strip()
    )
    return {name.strip(): "#" + value for name, value in entries}


COLOUR_NAMES: dict[str, str] = _read(
    """
    black 1a1a1c, jet 1c1c1e, ebony 2a2523, ink 1c2333, onyx 2b2c2f, soot 2d2b2a, raven 1f2024, off-black 26262a
    white ffffff, snow fffafa, chalk f4f1e8, off-white f5f1e8, pure white ffffff, optic white fdfdff, milk fbf7ee
    ivory f7f2e4, cream f6eeda, ecru ede3cd, eggshell f0ead6, bone e3dac9, pearl eae4d8, alabaster f1ece2
    oyster d9d2c3
    seashell fff5ee, floral white fffaf0, ghost white f8f8ff, white smoke f5f5f5, alice blue f0f8ff
    mint cream f5fffa
    azure f0ffff, honeydew f0fff0, old lace fdf5e6, linen f4ecde, antique white faebd7, papaya whip ffefd5
    cornsilk fff8dc
    blanched almond ffebcd, bisque ffe4c4, lavender blush fff0f5, misty rose ffe4e1, beige ece2ca, vanilla f3e5ab
    natural e9dfcb, unbleached e6dcc6, calico ebe3d0, parchment f1e9d2, buttermilk fdf1c9, champagne f3e0c2
    oatmeal dccfb8
    grey 8c8f92, gray 8c8f92, silver c3c7ca, light grey d3d3d3, light gray d3d3d3, dark grey 5f6266
    dark gray 5f6266
    dim grey 696969, dim gray 696969, gainsboro dcdcdc, slate grey 708090, slate gray 708090
    light slate grey 778899
    light slate gray 778899, dark slate grey 2f4f4f, dark slate gray 2f4f4f, charcoal 36393d, anthracite 383e42
    graphite 41424c, gunmetal 2a3439, slate 55636f, ash b2b4ad, ash grey b2beb5, dove grey b3b1ac, dove b3b1ac
    pearl grey d2d0c9, pewter 8b9196, steel 71797e, steel grey 71797e, iron 52595d, smoke a3a5a4, mist cdd3d3
    fog cfd2cf
    cement a5a391, concrete a6a49e, lead 6d7073, storm 585f68, storm grey 5e646b, greige bdb2a2, mouse 8a8178
    elephant 7a7671, lava 4b4442, platinum d9d9d6, flint 6f6a61, mole 6b5f56, silver grey c0c3c5
    navy 1d2f52, navy blue 1d2f52, french navy 232c4f, midnight blue 191f5c, midnight 1b2140, blue 2f62a8
    dark blue 1f2f7a
    light blue add8e6, pale blue c3d8e6, baby blue a9cfe8, sky 9cc4e2, sky blue 9cc4e2, light sky blue 87cefa
    deep sky blue 00bfff, dodger blue 1e90ff, powder blue b0d8e2, steel blue 4682b4, light steel blue b0c4de
    royal blue 3556c4
    medium blue 0f2fc0, cornflower 6495ed, cornflower blue 6495ed, cadet blue 5f9ea0, slate blue 6a5acd
    dark slate blue 483d8b, medium slate blue 7b68ee, cobalt 1f4aa8, cobalt blue 1f4aa8, ultramarine 2536a3
    prussian blue 0f3150, prussian 0f3150, delft blue 2b3f85, delft 2b3f85, china blue 5a6d9e, wedgwood 6d8bb4
    wedgwood blue 6d8bb4, french blue 2d6bb3, electric blue 2a6df5, klein blue 0b2fa6, petrol 15535f
    petrol blue 15535f
    peacock 0f6478, peacock blue 0f6478, denim 3f5f8a, denim blue 3f5f8a, indigo 33307a, indigo blue 33307a
    chambray 7d93b2
    airforce blue 5d7f9e, air force blue 5d7f9e, ice blue d6ebf2, ice d9ecf1, duck egg c3d9d4, duck egg blue c3d9d4
    forget-me-not 86a9d9, hyacinth 6a77c0, periwinkle a4a8e0, bluebell 8a8fd6, wisteria b9a0d6, cerulean 2a7fb8
    lapis 26549b, lapis lazuli 26549b, sapphire 1b48a0, ocean 1f6a86, ocean blue 23719a, sea blue 1e6b87
    marine 1f3a5f
    marine blue 1f3a5f, lagoon 1f8fa0, glacier b5d3dc, azure blue 3a8fd9, bright blue 1c6fe0, oxford blue 14213d
    cambridge blue a3c1ad, slate navy 33435a, smoke blue 8499a8, ice grey dfe6e8, blueberry 4a5590, woad 4f7390
    turquoise 40d0c8, medium turquoise 48d1cc, dark turquoise 00ced1, pale turquoise afeeee, aqua 6fd6d6
    cyan 1fd3e0
    light cyan e0ffff, dark cyan 008b8b, teal 0f7d7d, aquamarine 7fffd4, medium aquamarine 66cdaa, sea foam a8dcc8
    seafoam a8dcc8, sea foam green a8dcc8, verdigris 43b3ae, celadon ace1af, eau de nil c3d9b9, jade 2f9f73
    mint a8e0c0
    mint green a8e0c0, spearmint 7fcfae, peppermint b5e3cf, viridian 40826d, malachite 1f8f5a, bottle green 0b4a38
    bottle 0b4a38, racing green 0f4231, british racing green 0f4231, hunter green 355e3b, hunter 355e3b
    sea green 2e8b57
    light sea green 20b2aa, dark sea green 8fbc8f, medium sea green 3cb371, spring green 2fe08a
    medium spring green 14e89a
    green 1f8040, dark green 0a5a1c, light green 90ee90, pale green 98fb98, forest green 228b22, lime green 32cd32
    lawn green 7cfc00, chartreuse a6e22a, green yellow adff2f, yellow green 9acd32, olive 7f7f22, olive green 6f7434
    olive drab 6b8e23, dark olive green 556b2f, lime a9d93a, sage 9caa8c, sage green 9caa8c, moss 727f42
    moss green 727f42
    fern 5f8f4f, fern green 5f8f4f, leaf green 5a9a3c, grass green 4c9a2a, grass 4c9a2a, apple green 8db600
    apple 93b83f
    pistachio b7d08f, avocado 68793b, pea green 8fa84a, pea 8fa84a, emerald 1c9a66, emerald green 1c9a66
    kelly green 2f9e3f
    kelly 2f9e3f, loden 4b5a44, loden green 4b5a44, khaki b3a876, dark khaki bdb76b, army green 4b5320, army 4b5320
    pine 2c5545, pine green 1f6b5a, fir green 23493a, spruce 31584c, ivy 3f6a45, ivy green 3f6a45, reseda 7c8a68
    reseda green 7c8a68, lichen a5ab86, thyme 7f8a6b, rosemary 667562, eucalyptus 8fa89a, basil 4f7040
    cactus 5b7f56
    absinthe b5c94c, matcha a9b56c, myrtle 31513f, verdant 3f7f3a, laurel 6f8468, artichoke 8a9479
    jungle green 29855f
    willow a3b07c, meadow 6f9a4f, bronze green 5c5a33, seaweed 35604f, forest 26503a, cypress 455e44
    asparagus 87a96b
    yellow f5d130, light yellow fdfbd8, lemon f7e34f, lemon yellow f7e34f, lemon chiffon fffacd, pale yellow f9f0a8
    light goldenrod yellow fafad2, gold e3b52a, golden d9ab32, old gold b79738, goldenrod daa520
    dark goldenrod b8860b
    pale goldenrod eee8aa, mustard d3a02c, mustard yellow d9a82e, ochre c98a2c, ocher c98a2c, yellow ochre c9942f
    saffron f0b833, amber f2b01e, honey dba545, corn f0d16a, maize f2d46b, canary fae95a, canary yellow fae95a
    primrose f3e59a, buttercup f5cf3d, butter f6e7a2, straw e0cc82, sunflower f4be2a, sunflower yellow f4be2a
    turmeric d99a1c
    banana f8e08a, citron d8c93c, curry c9962b, bright yellow fbe10f, daffodil fbd93c, brass b5964b, hay d6c27e
    orange f08a1d, dark orange ff8c00, burnt orange c65b18, tangerine f28522, apricot f7c396, peach fac8a6
    peach puff ffdab9
    light peach fde0cb, mandarin f27a2c, pumpkin e8761e, persimmon e35f2c, papaya f7a35c, cantaloupe fbbd85
    melon f7b49a
    coral fb7d5e, light coral f08080, salmon fa8a76, light salmon ffa07a, dark salmon e9967a, shrimp f3a293
    tomato f2553c
    orange red f4501b, sandy brown f4a460, nectarine f58b5c, marigold eda021, clementine ef6e1f, salmon pink fa94a0
    coral pink f88379, coral red f2504b, flame e2582c, paprika b8442c, cayenne a5331f, carrot ec8a2d
    bright orange ff7a0a
    red c9222f, dark red 8b0d12, bright red e3141f, crimson c81d3f, scarlet d8261c, vermilion dd4a2c
    vermillion dd4a2c
    cherry c0203f, cherry red c0203f, poppy dd3a2a, poppy red dd3a2a, post box red bf1e2e, lipstick c2183f
    lipstick red c2183f
    fire brick b22222, firebrick b22222, indian red cd5c5c, maroon 7b1a28, burgundy 6e1531, wine 6f1a35
    bordeaux 6a1830
    claret 7c1934, oxblood 5c1418, garnet 75202e, ruby a3153f, carmine a8122f, turkey red a5202a, madder a63a34
    cardinal b51e3a, raspberry c72659, strawberry e0484f, cranberry a3213f, pomegranate b3273f, merlot 6b2334
    currant 6f1d35
    brick a4492f, brick red a23a2e, brick orange b95a34, rust aa4a1f, rust red a13a22, russet 87462b
    terracotta c9663f, terra cotta c9663f
    burnt sienna d0704f, sienna a0522d, raw sienna c98a4c, rosewood 6a1f24, cinnabar d94a35, red ochre 9e4a33
    red earth 8f4a36
    pink f2a9ba, light pink ffb6c1, pale pink f8d3d6, baby pink f4c2c8, hot pink f2579f, deep pink f5218f
    shocking pink f5178f
    pale violet red db7093, medium violet red c71585, rose d9708a, old rose bd7f83, dusty rose c08081
    dusty pink d2a4a0
    tea rose f2c4be, rose pink f08fae, blush eec3bd, blush pink efc2bf, ballet pink f2d4d2, shell pink f5cfc4
    shell f0d9cc, nude e3c3ac
    powder pink f0c9ca, flamingo f58f93, flamingo pink f78fa3, bubblegum f79ac4, bubblegum pink f79ac4
    candy pink e9718a
    carnation f7a4b8, carnation pink fba1c3, peony e0718f, cyclamen d9508f, fuchsia d8259a, fuchsia pink e85fb4
    magenta cc2a8c, cerise d6336c, watermelon f2636f, watermelon pink f2636f, quartz e3b5b7, rose quartz f0c9c9
    rose gold c98f86
    salmon rose ee9d95, mauve b58aa5, dusky pink cc8f95, plaster pink e1b9a5, plaster dfc3b2, antique pink c98d8d
    antique rose b76e73
    purple 743f96, dark purple 431d52, bright purple a92fd6, rebecca purple 663399, medium purple 9370db
    royal purple 66479c
    violet 8a55b8, blue violet 8a2be2, dark violet 8a14c9, deep violet 4a1a72, lavender c3b1e1, pale lavender dcd0ee
    lilac c8a8d6, orchid d070cc
    medium orchid ba55d3, dark orchid 9932cc, thistle d8bfd8, plum 7a2f62, aubergine 472040, eggplant 4f2550
    grape 6a3a7a
    mulberry 8a3a66, heather a992b0, amethyst 9466c2, dark magenta 8b1283, byzantium 702963, damson 4f2a4e
    blackberry 43243f
    iris 6657b5, pansy 5c2a78, lupin 6d6bb5, crocus 8e6bb0, elderberry 3b2438, boysenberry 7a2a50, fig 5a3b48
    parma violet b6a2cf
    brown 6f452c, dark brown 3f2818, light brown a97c50, saddle brown 8b4513, chocolate 5a3220
    milk chocolate 84563c
    dark chocolate 3b241a, coffee 6f4e37, espresso 3c2a21, mocha 7b5c48, cappuccino a98467, cocoa 6b4a3a
    caramel b9722d
    toffee 8f5a34, chestnut 7d3f2c, mahogany 6a2b1e, walnut 5f4434, hazel 95713f, hazelnut a57e5a, nutmeg 7e4a35
    cinnamon a5602f
    tan d2b48c, rosy brown bc8f8f, burlywood deb887, burly wood deb887, wheat f5deb3, navajo white ffdead
    moccasin ffe4b5, peru cd853f
    sand dfcaa0, dune cdb58c, desert sand e3c4a6, camel c19a6b, fawn c8a378, biscuit e6cfa8, almond eadbc8
    latte c7a985
    taupe 8b7d70, mushroom b3a395, stone c4b9a6, putty c9bda3, clay b8795a, umber 6b5138, burnt umber 7a3b2a
    sepia 6a4a32, bistre 40301f
    sable 4a3a32, bark 5e4a3c, driftwood a89682, cork b4896a, leather 94623a, cognac 9c5a2c, tobacco 7a5a36
    whisky c8883c
    copper b8703f, bronze 9c7038, bronze brown 7a5a2e, peat 43382f, earth 73553d, mud 6d5a45, teak a5763f
    oak b8935f, cedar a05a48, flax e4d3a0
    hemp c0ad8a, jute c2a878, raffia dcc391, straw yellow e3cf7f, ginger b5651f, gingerbread 8a5228
    amber brown a5691f, sandstone cdb28e
    """
)

# Words that shade a colour: (factor on lightness toward white > 0 or black < 0, factor on chroma).
MODIFIERS: dict[str, tuple[float, float]] = {
    "light": (0.45, 0.75), "pale": (0.6, 0.55), "soft": (0.3, 0.7), "baby": (0.5, 0.7), "pastel": (0.55, 0.6),
    "powder": (0.5, 0.55), "icy": (0.75, 0.35), "whitened": (0.7, 0.4), "faded": (0.3, 0.55), "washed": (0.35, 0.55),
    "dark": (-0.4, 0.85), "deep": (-0.3, 1.0), "rich": (-0.15, 1.2), "midnight": (-0.6, 0.8), "inky": (-0.6, 0.7),
    "bright": (0.08, 1.35), "vivid": (0.03, 1.45), "neon": (0.15, 1.7), "strong": (0.0, 1.3), "electric": (0.05, 1.5),
    "clear": (0.05, 1.15), "intense": (-0.05, 1.35), "hot": (0.0, 1.4),
    "muted": (0.05, 0.55), "dusty": (0.15, 0.6), "dusky": (-0.05, 0.6), "dull": (0.0, 0.55), "greyed": (0.05, 0.45),
    "smoky": (-0.08, 0.45), "antique": (0.05, 0.65), "vintage": (0.05, 0.65), "chalky": (0.4, 0.5),
    "earthy": (-0.05, 0.6),
    "warm": (0.0, 1.0), "cool": (0.0, 1.0), "medium": (0.0, 1.0), "mid": (0.0, 1.0), "burnt": (-0.25, 0.9),
}  # fmt: skip

# Colours that are also things people ask to have drawn, or cloths: read as colours only where the words say so.
_THINGS = """
    almond amethyst apple apricot army artichoke asparagus avocado banana bark basil biscuit blackberry bluebell
    blueberry bone bottle boysenberry butter buttercup cactus calico camel canary cantaloupe cardinal carnation
    carrot cedar cement chalk chambray cherry chestnut cinnamon clay clementine cocoa coffee concrete coral cork
    corn cranberry crocus currant cyclamen cypress daffodil damson delft denim dove driftwood dune earth
    eggshell elderberry elephant espresso eucalyptus fawn fern fig flame flamingo flax flint fog forest garnet
    ginger gingerbread glacier grape grass hay hazel hazelnut heather hemp honey hyacinth ice ink iris iron ivy
    jet jute kelly lagoon latte laurel lava lead leather lemon lichen lime linen lipstick lupin mahogany maize
    mandarin marigold matcha meadow melon midnight milk mist mole moss mouse mud mulberry mushroom myrtle
    natural nectarine nutmeg oak ocean olive onyx orchid oyster pansy papaya pea peach peacock pearl peat peony
    peppermint persimmon pine pistachio plaster platinum plum pomegranate poppy primrose pumpkin putty quartz
    raffia raspberry raven rose rosemary sable salmon sand sandstone seashell seaweed shell shrimp smoke snow
    spearmint spruce steel stone storm straw strawberry sunflower sunset tangerine teak thistle thyme tobacco
    toffee tomato verdant violet walnut watermelon wheat willow wine wisteria woad
"""
THINGS = frozenset(_THINGS.split())
