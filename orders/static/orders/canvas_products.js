// What cloth is made into, as outlines in millimetres: simple, but of true size, so that the repeat's scale is seen.
//
// A product: width, height of the drawing; cloth: [width, height] of what is made; parts from back to front. A part:
// path; cloth: [left, top] where the first repeat of its piece begins, or solid: what it is of instead; shades: light
// (negative) and dark over it; folds: lines over it.

const soft = (from, to, ...stops) => ({ from, to, stops });

/** Folds hanging side by side: light on their backs, dark between them. */
const pleats = (left, right, count, depth = 0.3) => {
  const stops = [];
  for (let fold = 0; fold < count; fold += 1) {
    // Not all alike: cloth never hangs so.
    const deep = depth * (0.7 + 0.3 * Math.sin(fold * 2.4));
    stops.push([fold / count, deep], [(fold + 0.35) / count, -0.16], [(fold + 0.75) / count, deep / 3]);
  }
  stops.push([1, depth]);
  return soft([left, 0], [right, 0], ...stops);
};

const cushion = {
  width: 500, height: 500, cloth: [450, 450],
  parts: [{
    path: "M30 30 Q250 58 470 30 Q444 250 470 470 Q250 444 30 470 Q56 250 30 30Z",
    cloth: [25, 25],
    shades: [
      { from: [205, 190], round: 330, stops: [[0, -0.22], [0.45, 0], [0.8, 0.16], [1, 0.42]] },
      soft([30, 30], [110, 110], [0, 0.18], [1, 0]), soft([470, 470], [380, 380], [0, 0.2], [1, 0]),
    ],
    folds: "M44 46 Q86 74 104 108 M456 46 Q418 76 400 112 M456 456 Q420 428 396 396 M44 456 Q78 424 100 400",
  }],
};

const curtain = {
  width: 1640, height: 2600, cloth: [1400, 2400],
  parts: [
    { path: "M20 60 h1600 v28 h-1600Z", solid: "metal" },
    { path: "M20 42 a32 32 0 1 0 .1 0Z M1620 42 a32 32 0 1 0 .1 0Z", solid: "metal" },
    {
      path: "M120 88 H1520 V2478 Q1470 2500 1420 2482 T1320 2482 T1220 2482 T1120 2482 T1020 2482 T920 2482 T820 2482 T720 2482 T620 2482 T520 2482 T420 2482 T320 2482 T220 2482 T120 2482Z",
      cloth: [120, 88],
      shades: [pleats(120, 1520, 14, 0.34), soft([0, 88], [0, 260], [0, 0.22], [1, 0])],
    },
  ],
};

const scarf = {
  width: 900, height: 1960, cloth: [700, 1800],
  parts: [
    {
      path: "M100 90 Q450 74 800 90 Q812 980 800 1870 Q450 1886 100 1870 Q88 980 100 90Z",
      cloth: [100, 85],
      shades: [
        soft([100, 0], [800, 500], [0, 0.12], [0.3, -0.1], [0.55, 0.1], [0.8, -0.08], [1, 0.14]),
        soft([0, 1870], [260, 1200], [0, 0.22], [0.5, -0.1], [1, 0]),
      ],
      folds: Array.from({ length: 36 }, (_, each) => {
        const x = 108 + each * 19.5;
        return `M${x} 88 l${(each % 3) - 1} -52 M${x} 1872 l${1 - (each % 3)} 52`;
      }).join(" "),
    },
  ],
};

const dress = {
  width: 1000, height: 1180, cloth: [900, 1120],
  parts: [
    {
      path: "M330 372 Q500 398 670 372 L905 1120 Q700 1160 500 1156 Q300 1160 95 1120Z",
      cloth: [95, 372],
      shades: [
        soft([95, 0], [905, 0], [0, 0.3], [0.14, 0], [0.24, 0.2], [0.34, -0.12], [0.47, 0.16], [0.58, -0.1], [0.7, 0.2], [0.82, 0], [1, 0.34]),
        soft([0, 372], [0, 520], [0, 0.2], [1, 0]),
      ],
      folds: "M400 388 L330 900 M470 394 L455 1010 M560 394 L600 980 M620 386 L722 880",
    },
    {
      path: "M372 40 Q400 150 500 158 Q600 150 628 40 L690 46 Q676 180 742 232 Q690 300 670 376 Q500 402 330 376 Q310 300 258 232 Q324 180 310 46Z",
      cloth: [258, 40],
      shades: [soft([258, 0], [742, 0], [0, 0.3], [0.3, -0.1], [0.5, 0.08], [0.7, -0.08], [1, 0.32]), soft([0, 300], [0, 390], [0, 0], [1, 0.2])],
      folds: "M330 376 Q500 402 670 376 M400 372 Q414 300 398 240 M600 372 Q586 300 602 240",
    },
  ],
};

const skirt = {
  width: 960, height: 800, cloth: [860, 680],
  parts: [
    {
      path: "M300 96 H660 L900 730 Q690 780 480 776 Q270 780 60 730Z",
      cloth: [60, 96],
      shades: [
        soft([60, 0], [900, 0], [0, 0.32], [0.12, 0], [0.22, 0.22], [0.33, -0.12], [0.46, 0.18], [0.57, -0.1], [0.68, 0.22], [0.82, 0], [1, 0.34]),
        soft([0, 96], [0, 220], [0, 0.22], [1, 0]),
      ],
      folds: "M370 110 L280 640 M440 110 L410 700 M520 110 L560 690 M590 110 L690 620",
    },
    { path: "M298 40 Q480 60 662 40 L664 100 Q480 118 296 100Z", cloth: [296, 40], shades: [soft([296, 0], [664, 0], [0, 0.3], [0.4, -0.1], [1, 0.3])] },
  ],
};

const bed = {
  width: 1900, height: 2360, cloth: [1800, 1500],
  parts: [
    { path: "M80 30 h1740 v150 h-1740Z", solid: "wood" },
    { path: "M150 130 h1600 v2080 q0 40 -40 40 h-1520 q-40 0 -40 -40Z", solid: "linen", shades: [soft([150, 0], [1750, 0], [0, 0.2], [0.1, 0], [0.9, 0], [1, 0.2])] },
    { path: "M210 200 q340 -40 680 0 q30 230 0 440 q-340 36 -680 0 q-30 -210 0 -440Z", solid: "#ffffff", shades: [{ from: [520, 380], round: 460, stops: [[0, 0], [1, 0.22]] }] },
    { path: "M1010 200 q340 -40 680 0 q30 230 0 440 q-340 36 -680 0 q-30 -210 0 -440Z", solid: "#ffffff", shades: [{ from: [1320, 380], round: 460, stops: [[0, 0], [1, 0.22]] }] },
    {
      path: "M70 800 Q500 776 950 800 T1830 800 Q1846 1500 1822 2296 Q950 2336 78 2296 Q54 1500 70 800Z",
      cloth: [50, 800],
      shades: [
        soft([50, 0], [1850, 0], [0, 0.4], [0.07, 0.04], [0.3, -0.06], [0.52, 0.06], [0.75, -0.05], [0.93, 0.04], [1, 0.42]),
        soft([0, 2336], [0, 2140], [0, 0.4], [1, 0]), soft([300, 1000], [900, 2000], [0, 0], [0.45, 0.08], [0.55, -0.08], [1, 0]),
      ],
      folds: "M180 2290 Q210 2200 190 2110 M1700 2290 Q1672 2190 1700 2100 M420 1180 Q700 1420 780 1820 M1380 1160 Q1220 1480 1240 1760",
    },
    { path: "M70 720 Q500 696 950 720 T1830 720 L1832 850 Q1400 874 950 850 T66 850Z", solid: "linen", shades: [soft([0, 700], [0, 870], [0, -0.2], [0.7, 0.04], [1, 0.22])] },
  ],
};

const chair = {
  width: 900, height: 1000, cloth: [780, 860],
  parts: [
    { path: "M150 840 l-26 140 h40 l40 -140Z M750 840 l26 140 h-40 l-40 -140Z", solid: "wood" },
    {
      path: "M170 130 Q180 40 280 34 H620 Q720 40 730 130 L742 620 H158Z",
      cloth: [158, 34],
      shades: [soft([158, 0], [742, 0], [0, 0.3], [0.2, 0], [0.5, -0.12], [0.8, 0], [1, 0.32]), soft([0, 480], [0, 640], [0, 0], [1, 0.4])],
      folds: "M262 96 Q450 76 638 96 Q656 340 650 560",
    },
    {
      path: "M200 560 Q450 530 700 560 Q716 600 704 660 Q450 690 196 660 Q184 600 200 560Z",
      cloth: [186, 545],
      shades: [soft([0, 545], [0, 690], [0, -0.16], [0.6, 0.02], [1, 0.34])],
    },
    { path: "M176 664 Q450 694 724 664 L720 850 Q450 874 180 850Z", cloth: [176, 664], shades: [soft([0, 664], [0, 870], [0, 0.3], [0.3, 0.06], [1, 0.26])] },
    {
      path: "M60 430 Q70 372 130 372 Q196 376 206 440 L214 848 Q140 872 76 850Z",
      cloth: [60, 372],
      shades: [soft([60, 0], [214, 0], [0, 0.26], [0.45, -0.14], [1, 0.34]), soft([0, 372], [0, 470], [0, -0.16], [1, 0])],
    },
    {
      path: "M840 430 Q830 372 770 372 Q704 376 694 440 L686 848 Q760 872 824 850Z",
      cloth: [686, 372],
      shades: [soft([840, 0], [686, 0], [0, 0.3], [0.5, -0.1], [1, 0.34]), soft([0, 372], [0, 470], [0, -0.16], [1, 0])],
    },
  ],
};

export const PRODUCTS = { cushion, curtain, scarf, dress, skirt, bed, chair };
