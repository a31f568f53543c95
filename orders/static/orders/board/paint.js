// Colours of the board: the page's own, and a hue for each customer, cloth or ink set.

const HUES = [212, 28, 150, 338, 48, 268, 186, 0, 96, 300, 232, 68, 168, 320];

export class Paint {
  constructor() {
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.read();
  }

  read() {
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(`--${name}`).trim();
    Object.assign(this, {
      ink: token("ink"), paper: token("paper"), card: token("card"), line: token("line"), accent: token("accent"),
      good: token("good"), bad: token("bad"), warn: token("warn"), focus: token("focus"),
    });
    this.patterns = new Map();
    this.given = new Map();
  }

  // A quiet fill for the n-th of its kind.
  fill(number) {
    const hue = HUES[number % HUES.length];
    const more = Math.floor(number / HUES.length) % 3;
    return this.dark.matches ? `hsl(${hue} 34% ${36 + more * 6}%)` : `hsl(${hue} ${55 - more * 8}% ${82 - more * 6}%)`;
  }

  tint(name) {
    const hue = { late: 4, day: 42, time: 150 }[name];
    return this.dark.matches ? `hsl(${hue} 38% 30%)` : `hsl(${hue} 62% 84%)`;
  }

  get closed() { return this.dark.matches ? "#12161a" : "#e6e1d6"; }

  get frozen() { return this.dark.matches ? "rgb(143 196 242 / .10)" : "rgb(31 111 178 / .08)"; }

  get slushy() { return this.dark.matches ? "rgb(143 196 242 / .05)" : "rgb(31 111 178 / .04)"; }

  hatch(context, colour, ground) {
    const key = colour + ground;
    if (!this.patterns.has(key)) {
      const tile = document.createElement("canvas");
      tile.width = tile.height = 8;
      const pen = tile.getContext("2d");
      pen.fillStyle = ground;
      pen.fillRect(0, 0, 8, 8);
      pen.strokeStyle = colour;
      pen.lineWidth = 1.6;
      for (const shift of [-8, 0, 8]) {
        pen.beginPath();
        pen.moveTo(shift, 8);
        pen.lineTo(shift + 8, 0);
        pen.stroke();
      }
      this.patterns.set(key, context.createPattern(tile, "repeat"));
    }
    return this.patterns.get(key);
  }
}
