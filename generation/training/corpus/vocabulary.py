"""What else people call what a family shows, and where they have seen it: for understanding, never for captions."""

from __future__ import annotations

_ALSO = """
simple_flower: flower on a stem, blossom on a stalk, single flower, a flower with two leaves, one bloom
simple_flower: flower drawing
flower_head: flower seen from above, graphic blossom, round flower, petals, retro flower power, anemone, gerbera
flower_head: cosmos
daisy: ox-eye daisy, marguerites, chamomile, aster, daisy chain, sunflower, sunflowers, gerbera daisy
tulip: Dutch tulip, bulb flowers, Keukenhof, tulip field, spring bulbs
ditsy: tiny blossoms, small flowers, millefleurs, mille-fleurs, floral tea dress, prairie dress
ditsy: scattered little blooms
ditsy: forget-me-nots, cottage core floral, calico print, Liberty of London
sprig: flower spray, little bouquet, snowdrop, bluebell, bellflower, lily of the valley, lavender sprig
sprig: buds on a twig
branch: eucalyptus, olive branch, olive twig, fern, ferns, laurel, willow, bracken, herbs, rosemary, bamboo, vine, ivy
branch: garland of leaves, greenery, twig with leaves, botanical branch
big_leaf: single leaf, leaf with veins, leaf skeleton, banana leaf, beech leaf, philodendron leaf
tossed_leaves: autumn leaves falling, leaves blown by the wind, foliage scattered, leaf litter, tea leaves, bay leaves
line_flower: outline flower, contour flower, flower in one pen line, unfilled blossom, ink drawing of a flower
line_flower: sketch floral
poppy: Finnish poppies, giant flower, sixties flower, oversized bloom, field of poppies, Marimekko style flower
berries: holly, rowan berries, mistletoe, currants, blueberries, cranberries, juniper, elderberries, winter twig
meadow: roadside flowers, grasses and flowers, cornflowers, cow parsley, prairie, herbarium, hedgerow, alpine flowers
folk_flower: embroidery flower, Hungarian folk art, Swedish folk art, Polish folk, Ukrainian folk, Mexican otomi
folk_flower: peasant flower
folk_flower: Pennsylvania Dutch, tree of life, stylised symmetrical plant
dots: polka dot, spotted, round spots, pois, coin dots, Minnie Mouse, ladybird spots, bubbles
loose_dots: irregular dots, pebbles, hand painted spots, confetti, splashes, Dalmatian spots, rough dots, speckles
stars: star, night sky, twinkling stars, starry, Christmas stars, stars and stripes, constellations
hearts: heart, Valentine, love hearts, sweethearts
paisley: boteh, buta, Kashmir shawl, Persian teardrop, bandana, pashmina, mango pattern, Indian shawl
fir_trees: spruce, pine forest, conifers, Christmas trees, winter forest, woods, woodland trees, evergreen, timberland
fruit: lemon, lemons, citrus, cherry, cherries, apple, apples, orchard, strawberry, orange, oranges, pear, peach
birds: sparrow, robin, swallow, finch, dove, songbird, wren, starling, parrot, owl, chicken, duck
birds: little bird on a twig
cut_outs: Matisse, paper cut-outs, abstract art, organic blobs, modern art shapes, amoeba, Arp, free forms
memphis: eighties, nineties, squiggles, geometric confetti, pop shapes, Sottsass, party shapes, zigzags and circles
brush_dashes: brush marks, dabs of paint, short strokes, painted dashes, pen marks, grains of rice, abstract dashes
drops: rain, raindrop, water drops, tears, droplets, dew, rain on a window, seeds
moons: moon, crescent moon, sun, sunshine, sun rays, celestial, astrology, tarot, solar, sunrise
stripes: deckchair stripes, Breton stripes, awning, sailor shirt, mattress stripe, striped, bands of colour, referee
stripes: bayadere
pinstripe: thin lines, banker's suit, ticking, fine lines, hairline, shirt stripe, seersucker, mobster suit
diagonal_stripes: candy cane, slanted bands, bias stripe, regimental tie, barber pole, hazard stripes, oblique lines
plaid: Highland kilt, lumberjack, Scottish clan, Burberry, flannel shirt, madras, Black Watch, woollen blanket check
gingham: picnic cloth, vichy, checked tablecloth, Brigitte Bardot, Dorothy dress, bistro check, apron check
windowpane: blazer check, graph paper, grid of lines, tattersall, fine grid, overcheck, bathroom tiles
windowpane: notebook squares
checkerboard: chessboard, chess, ska, racing flag, Damier, black and white squares, draughts board
argyle: golf sweater, diamond knit, Harlequin costume, jester diamonds, lozenge, rhombus, Burlington socks
houndstooth: dogtooth, pied de poule, puppytooth, winter coat check, Chanel jacket, shepherd's check
herringbone: tweed, tweed jacket, twill weave, broken twill, fishbone weave, wool coat weave
chevron: zigzag, zigzags, Missoni, zig zag lines, flame stitch, bargello, V shapes, sergeant stripes
waves: wavy lines, rolling waves, sea waves, ripples, water surface, undulating, river, swell, seventies waves
waves: wobbly lines
scallops: mermaid scales, fish scale, seigaiha, Japanese waves, overlapping circles, clamshell, roof tiles
scallops: dragon scales
ogee: onion shapes, onion domes, ogival, Ottoman, medallion lattice, Turkish, curtain of teardrops, pointed ovals
hexagons: honeycomb, beehive, bee, hexagonal tiles, hexagon, football panels, chicken wire, turtle shell pattern
triangles: pyramids, triangle, bunting, pennants, tents, geometric facets, mountains, origami
trellis: garden lattice, lattice with flowers, fretwork, diamond grid with blossoms, garden fence, criss-cross
quatrefoil: zellige, Moroccan tile, Portuguese tiles, azulejo, clover tile, Gothic window, four-leaf clover
quatrefoil: Spanish tiles, Fez
fair_isle: Norwegian sweater, ski sweater, Icelandic jumper, Christmas jumper, knitted snowflakes, Nordic knitwear
fair_isle: Shetland knit
greek_key: Greek border, meander, Versace border, ancient Greek, labyrinth, maze, Roman mosaic border, key fret
circles: concentric rings, rings, bullseye, target, op art circles, mid-century circles, tree rings, records, hoops
zebra: zebra hide, zebra skin, tiger stripes, tiger, animal stripes, safari stripes
leopard: cheetah, jaguar, big cat spots, leopard skin, animal print, ocelot, giraffe spots, panther, wild animal skin
camo: army, military, soldier, camouflage, combat trousers, hunting jacket, woodland disguise, disruptive pattern
marble: endpapers, marbled book paper, ebru, stone veins, suminagashi, swirling ink, Carrara, oil on water, agate
terrazzo: stone floor, stone chips, Venetian floor, mosaic chips, shards, broken pieces, granite, nougat
ikat: Uzbek robe, blurred diamonds, tied warp, Central Asian, Indonesian ikat, Silk Road, feathered diamonds
ikat: Guatemalan
watercolour: wet paint, paint pools, watercolor blots, ink blots, splotches, paint stains, abstract painting
watercolour: aquarelle
damask: acanthus, palazzo, brocade, opera house, Victorian wall covering, baroque scrolls, rococo, Versailles, palace
damask: arabesque
toile: engraving, pastoral, shepherds, cottages, French countryside, windmill, village scene, landscape drawing
toile: scenery
toile: farmhouse, church and trees, chinoiserie scene
rose: rosebud, rosebuds, climbing roses, tea rose, English roses, chintz, cabbage roses, rosa
peony: full peonies, ranunculus, camellia, dahlia, chrysanthemum, carnation, pompom flower, lush blooms
peony: bridal bouquet
hibiscus: aloha shirt, Hawaiian shirt, Honolulu, orchid, tropical blossom, frangipani, exotic flower, lily
hibiscus: Polynesian flower
monstera: split-leaf, philodendron, cheese plant, rainforest, jungle foliage, urban jungle, tropical foliage
monstera: house plant
palm: palm tree, fan palm, coconut palm, fronds, date palm, Palm Springs, palm grove, jungle fronds, Caribbean palms
butterflies: moths, monarch, fluttering wings, lepidoptera, dragonfly, winged insects
fish: sardine, sardines, koi, carp, trout, goldfish, salmon, herring, cod, aquarium, shoal, angler, fisherman
shells: conch, cockles, mussels, clam, snail, snail shell, nautilus, beachcombing, oyster, seaside finds, ammonite
starfish: sea star, five-armed star, tide pool
coral: reef, corals, coral reef, sea fan, branching coral, Great Barrier Reef
seaweed: kelp, algae, kelp forest, sea grass, underwater plants, aquatic plants
mushrooms: toadstool, fungi, fungus, champignons, chanterelles, fly agaric, boletus, fairy tale mushrooms
sailboats: sailing, regatta, dinghy, yachts, ship, boat, boats, fishing boat, schooner, harbour, marina, catamaran
anchors: anchor, sailor, navy tattoo, ahoy, marine emblem, nautical anchor
cats: kitten, kitty, feline, tomcat, pussycat, purring, Siamese, tabby
foxes: fox, vixen, fox cubs, Reynard, sly fox
rabbits: bunny, bunnies, hare, hares, Easter bunny, Peter Rabbit, hopping
deco_fans: Gatsby, roaring twenties, 1920s, 1930s, Chrysler building, jazz age, cinema palace, sunburst fans
deco_fans: Miami Beach
shibori: batik, tie-dyed, hippie, dyed rings, indigo resist, arashi, itajime, Grateful Dead, surf tie dye
shibori: bound and dyed
parquet: wood floor, wooden floor, floorboards, brick wall, bricks, brickwork, laid tiles, blocks, paving
basket_weave: wicker, rattan, basketry, cane chair, cane webbing, willow basket, woven straw, Vienna straw
patchwork: quilt, quilting, scraps, sewn together, pieced, Amish, log cabin quilt, patches, grandmother's quilt, boro
"""


def _read() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _ALSO.strip().splitlines():
        family, _, phrases = line.partition(":")
        found[family] = (*found.get(family, ()), *(phrase.strip() for phrase in phrases.split(",")))
    return found


ALSO = _read()
