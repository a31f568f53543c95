// <weft-canvas>: a design as cloth. One repeat, nine, the usable width with its ruler, or a product made of it.
//
// Attributes (each may change at any time)
//   src                PNG of ONE repeat; without it a neutral grid shows size and layout
//   repeat-width-mm, repeat-height-mm, layout (straight|half_drop|half_brick|mirror|third_drop)
//   cloth-width-mm     the usable width of the finished cloth, in the same millimetres as the repeat
//   white              #rrggbb of the bare cloth: the picture is seen as ink on it
//   view               tile | three | width | product            product: see canvas_products.js
//   views              which of them the person may switch to, such as "tile three width product"
//   tools              further switches: "seam" (seam lines of the layout), "white" (with or without the cloth's white)
//   seam               present: the seam lines are drawn
//   units              metric | imperial                          label: what it shows, for who can't see it
// Events (they bubble): weft-point {x_mm, y_mm} place within the repeat, by click, or Enter at the cross;
//   weft-pin {number}; weft-view {px_per_mm, x_mm, y_mm} when the person moves it; weft-shown {view, product}.
// Methods: mark([{x_mm, y_mm, number}]), show({px_per_mm, x_mm, y_mm}) in CSS pixels, fit(), trueSize().
// Its words come from data-* (templates/orders/_canvas.html); those below stand in where one is missing.
"use strict";
(() => {
  if (customElements.get("weft-canvas")) return;

  const INCH_MM = 25.4;
  const CSS_PX_PER_MM = 96 / INCH_MM;
  const SELVEDGE_MM = 12; // drawn, not measured: how wide it is belongs to the cloth
  const RULER_PX = 22;
  const DROP = { half_drop: 1 / 2, third_drop: 1 / 3 }; // as generation.domain.pattern.Layout.drop
  const SHIFT = { half_brick: 1 / 2 }; // and Layout.shift
  const WORDS = {
    stage: "Cloth, seen from above", help: "Plus and minus zoom, arrows move, 0 shows all, Enter points at the cross.",
    loading: "The design is on its way…", broken: "The picture could not be loaded.", retry: "Load it again",
    zoomin: "Larger", zoomout: "Smaller", fit: "Show all", true: "1 : 1", trueis: "As large as in reality on this screen",
    tile: "One repeat", three: "3 × 3", width: "On the cloth's width", product: "As a product",
    seam: "Seam lines", white: "On the cloth's white", madeof: "Product", selvedge: "selvedge",
    straight: "straight", half_drop: "half drop", half_brick: "half brick", mirror: "mirrored", third_drop: "third drop",
    cut: "{count} repeats across: the motif is cut at the edge", whole: "{count} repeats across exactly",
    once: "1 repeat across exactly", wide: "The repeat is wider than the cloth: it is cut",
    usable: "{width} usable width", repeat: "Repeat {width} × {height}, {layout}", as: "{product}, {width} × {height}",
    cushion: "Cushion", curtain: "Curtain", scarf: "Scarf", dress: "Dress", skirt: "Skirt", bed: "Bed", chair: "Chair",
    empty: "Nothing drawn yet: this is how repeats of this size stand.",
  };
  const PRODUCTS = ["cushion", "curtain", "scarf", "dress", "skirt", "bed", "chair"];
  const MARKS = {
    zoomout: '<path d="M3 8h10"/>', zoomin: '<path d="M3 8h10M8 3v10"/>',
    fit: '<path d="M2 6V2h4M14 6V2h-4M2 10v4h4M14 10v4h-4"/>',
  };

  const modulo = (value, by) => ((value % by) + by) % by;
  /** A canvas of this size in pixels, painted. */
  const painted = (width, height, paint) => {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    paint(canvas.getContext("2d"));
    return canvas;
  };

  // ---------------------------------------------------------------- geometry: as layout_tiling sets repeats

  /** How far the repeat in this column and row is moved from its place in a straight grid, in shares of a repeat. */
  const moved = (layout, column, row) => ({
    x: modulo(row * (SHIFT[layout] || 0), 1),
    y: modulo(column * (DROP[layout] || 0), 1),
  });

  /** Repeats across and along that stand straight beside their copies. */
  const period = (layout) => {
    if (layout === "mirror") return [2, 2];
    return [DROP[layout] ? Math.round(1 / DROP[layout]) : 1, SHIFT[layout] ? Math.round(1 / SHIFT[layout]) : 1];
  };

  /** A canvas of one period of the layout: it can be repeated straight, without an edge. */
  const blockOf = (tile, width, height, layout) => {
    const [columns, rows] = period(layout);
    return painted(width * columns, height * rows, (context) => {
      for (let column = 0; column < columns; column += 1) {
        for (let row = 0; row < rows; row += 1) {
          const { x, y } = moved(layout, column, row);
          const left = column * width + Math.floor(x * width + 1e-6);
          const top = row * height + Math.floor(y * height + 1e-6);
          context.save();
          context.translate(left, top);
          if (layout === "mirror") {
            context.translate(column % 2 ? width : 0, row % 2 ? height : 0);
            context.scale(column % 2 ? -1 : 1, row % 2 ? -1 : 1);
          }
          context.drawImage(tile, 0, 0, width, height);
          if (x) context.drawImage(tile, -width * columns, 0, width, height);
          if (y) context.drawImage(tile, 0, -height * rows, width, height);
          context.restore();
        }
      }
    });
  };

  /** The place within the repeat that lies at a place of the cloth, in millimetres. */
  const within = (layout, width, height, x, y) => {
    const column = Math.floor(x / width);
    const row = Math.floor(y / height);
    const by = moved(layout, column, row);
    const inside = { x_mm: modulo(x - by.x * width, width), y_mm: modulo(y - by.y * height, height) };
    if (layout === "mirror") {
      if (modulo(column, 2)) inside.x_mm = width - inside.x_mm;
      if (modulo(row, 2)) inside.y_mm = height - inside.y_mm;
    }
    return inside;
  };

  // ---------------------------------------------------------------- the element

  class WeftCanvas extends HTMLElement {
    static observedAttributes = [
      "src", "repeat-width-mm", "repeat-height-mm", "layout", "cloth-width-mm", "white", "view", "product", "seam",
      "units", "label", "views", "tools",
    ];

    #pins = [];
    #blocks = new Map(); // by halvings: the same block, smaller, so that a small picture is not a noisy one
    #at = { px: 1, x: 0, y: 0 }; // CSS pixels per millimetre, and the millimetres at the stage's upper left corner
    #fitted = true;
    #state = "empty";
    #pointers = new Map();
    #products = null;
    #bare = false; // the person has switched the cloth's white off

    connectedCallback() {
      if (!this.stage) this.#build();
      this.sight = new ResizeObserver(() => this.#refit());
      this.sight.observe(this.stage);
      this.dark = matchMedia("(prefers-color-scheme: dark)");
      this.dark.addEventListener("change", this.#later);
      this.#load();
    }

    disconnectedCallback() {
      this.sight.disconnect();
      this.dark.removeEventListener("change", this.#later);
    }

    attributeChangedCallback(name, before, after) {
      if (!this.stage || before === after) return;
      if (name === "src") { this.#load(); return; }
      if (name === "layout" || this.#state === "empty") this.#blocks.clear();
      if (["views", "tools", "view", "product", "seam", "white"].includes(name)) this.#bar();
      if (["view", "product", "cloth-width-mm", "repeat-width-mm", "repeat-height-mm"].includes(name)) this.#fitted = true;
      this.#refit();
    }

    /** Draw numbered pins at places of the repeat: [{x_mm, y_mm, number}]. */
    mark(pins) { this.#pins = [...pins]; this.#later(); }

    /** Show this part: CSS pixels per millimetre, and the millimetres at the upper left corner. */
    show({ px_per_mm: px, x_mm: x, y_mm: y }) {
      this.#at = { px, x, y };
      this.#fitted = false;
      this.#later();
    }

    /** Show all of it. */
    fit() { this.#fitted = true; this.#refit(); this.#told(); }

    /** As large as it is, as far as the screen says how large its pixels are. */
    trueSize() { this.#zoom(CSS_PX_PER_MM / this.#at.px); }

    get shown() { return { px_per_mm: this.#at.px, x_mm: this.#at.x, y_mm: this.#at.y }; }
    get state() { return this.#state; }

    // -------------------------------------------------------------- what it was told

    #mm(name, otherwise) { const value = Number.parseFloat(this.getAttribute(name)); return value > 0 ? value : otherwise; }
    get #width() { return this.#mm("repeat-width-mm", 320); }
    get #height() { return this.#mm("repeat-height-mm", this.#width); }
    get #cloth() { return this.#mm("cloth-width-mm", 1400); }
    get #layout() { return this.getAttribute("layout") || "straight"; }
    get #view() { return this.getAttribute("view") || "tile"; }
    get #product() { return this.getAttribute("product") || "cushion"; }
    get #white() { const code = this.getAttribute("white"); return !this.#bare && /^#[0-9a-f]{6}$/i.test(code) ? code : null; }
    get #inches() { return this.getAttribute("units") === "imperial"; }

    #say(word, values = {}) {
      const said = this.dataset[word.replace("_", "")] || WORDS[word] || word;
      return said.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
    }

    #number(value, places) {
      return new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: places }).format(value);
    }

    #size(mm) { return this.#inches ? `${this.#number(mm / INCH_MM, 2)} in` : `${this.#number(mm, 1)} mm`; }

    /** The part of the cloth, in millimetres, that the view is about. */
    get #extent() {
      if (this.#view === "tile") return { x: 0, y: 0, width: this.#width, height: this.#height };
      if (this.#view === "three") return { x: 0, y: 0, width: 3 * this.#width, height: 3 * this.#height };
      if (this.#view === "product" && this.#products) {
        const { width, height } = this.#products[this.#product] || this.#products.cushion;
        return { x: 0, y: 0, width, height };
      }
      const across = this.#cloth + 2 * SELVEDGE_MM;
      return { x: -SELVEDGE_MM, y: 0, width: across, height: across / 10, endless: true };
    }

    // -------------------------------------------------------------- its parts

    #build() {
      const make = (tag, name, into = this) => {
        const made = into.appendChild(document.createElement(tag));
        made.className = name;
        return made;
      };
      this.replaceChildren();
      this.bar = make("div", "bar");
      this.stage = make("div", "stage");
      this.stage.tabIndex = 0;
      this.stage.setAttribute("role", "group");
      this.canvas = make("canvas", "", this.stage);
      this.canvas.setAttribute("role", "img");
      this.notice = make("p", "notice", this.stage);
      this.notice.setAttribute("role", "status");
      this.caption = make("p", "caption");
      this.help = make("p", "seen-only-by-readers");
      this.help.id = `weft-canvas-${(WeftCanvas.made = (WeftCanvas.made || 0) + 1)}`;
      this.stage.setAttribute("aria-describedby", this.help.id);
      this.#bar();
      this.#listen();
    }

    #bar() {
      const held = this.bar.contains(document.activeElement) ? document.activeElement.dataset.does : null;
      const button = (does, word, pressed, inside) => {
        const made = document.createElement("button");
        made.type = "button";
        made.className = "quiet";
        made.dataset.does = does;
        if (inside) made.innerHTML = inside; else made.textContent = word;
        if (inside) made.setAttribute("aria-label", word);
        made.title = word;
        if (pressed !== null) made.setAttribute("aria-pressed", String(pressed));
        return made;
      };
      const group = (...buttons) => {
        const made = document.createElement("span");
        made.className = "group";
        made.append(...buttons);
        return made;
      };
      const icon = (name) => `<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.6" aria-hidden="true">${MARKS[name]}</svg>`;
      const views = (this.getAttribute("views") || "").split(/\s+/).filter(Boolean);
      const tools = (this.getAttribute("tools") || "").split(/\s+/).filter(Boolean);
      const parts = [];
      if (views.length) parts.push(group(...views.map((view) => button(`view:${view}`, this.#say(view), view === this.#view))));
      if (views.includes("product")) {
        const choice = document.createElement("select");
        choice.setAttribute("aria-label", this.#say("madeof"));
        choice.dataset.does = "product";
        choice.hidden = this.#view !== "product";
        for (const name of PRODUCTS) choice.add(new Option(this.#say(name), name, false, name === this.#product));
        parts.push(choice);
      }
      const switches = [];
      if (tools.includes("seam")) switches.push(button("seam", this.#say("seam"), this.hasAttribute("seam")));
      if (tools.includes("white") && this.getAttribute("white")) switches.push(button("white", this.#say("white"), !this.#bare));
      if (switches.length) parts.push(group(...switches));
      parts.push(group(
        button("zoomout", this.#say("zoomout"), null, icon("zoomout")),
        button("zoomin", this.#say("zoomin"), null, icon("zoomin")),
        button("fit", this.#say("fit"), null, icon("fit")),
        Object.assign(button("true", this.#say("true"), null), { title: this.#say("trueis") }),
      ));
      this.bar.replaceChildren(...parts);
      if (held) this.bar.querySelector(`[data-does="${held}"]`)?.focus();
    }

    #listen() {
      this.bar.addEventListener("click", (event) => {
        const does = event.target.closest("button")?.dataset.does;
        if (!does) return;
        if (does.startsWith("view:")) this.#choose(does.slice(5), this.#product);
        else if (does === "seam") this.toggleAttribute("seam");
        else if (does === "white") { this.#bare = !this.#bare; this.#bar(); this.#later(); }
        else if (does === "zoomin") this.#zoom(1.25);
        else if (does === "zoomout") this.#zoom(0.8);
        else if (does === "fit") this.fit();
        else if (does === "true") this.trueSize();
      });
      this.bar.addEventListener("change", (event) => {
        if (event.target.dataset.does === "product") this.#choose("product", event.target.value);
      });
      this.stage.addEventListener("keydown", (event) => {
        if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
        const step = 40 / this.#at.px;
        const does = {
          "+": () => this.#zoom(1.25), "=": () => this.#zoom(1.25), "-": () => this.#zoom(0.8), 0: () => this.fit(),
          ArrowLeft: () => this.#move(-step, 0), ArrowRight: () => this.#move(step, 0),
          ArrowUp: () => this.#move(0, -step), ArrowDown: () => this.#move(0, step),
          Enter: () => this.#point(this.stage.clientWidth / 2, this.stage.clientHeight / 2),
        }[event.key];
        if (!does) return;
        event.preventDefault();
        does();
      });
      for (const name of ["focus", "blur"]) this.stage.addEventListener(name, this.#later);
      // The wheel scrolls the page until the cloth is what a person works on, or Ctrl says so (pinching on a touchpad).
      this.stage.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && document.activeElement !== this.stage) return;
        event.preventDefault();
        const box = this.stage.getBoundingClientRect();
        this.#zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 120 : 500)), event.clientX - box.left, event.clientY - box.top);
      }, { passive: false });
      this.stage.addEventListener("pointerdown", (event) => {
        if (event.button || event.target.closest("button")) return;
        this.stage.setPointerCapture(event.pointerId);
        this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, far: false });
      });
      this.stage.addEventListener("pointermove", (event) => this.#drag(event));
      this.stage.addEventListener("pointerup", (event) => {
        const pointer = this.#pointers.get(event.pointerId);
        this.#pointers.delete(event.pointerId);
        if (!pointer || pointer.far) return;
        const box = this.stage.getBoundingClientRect();
        this.#point(event.clientX - box.left, event.clientY - box.top);
      });
      this.stage.addEventListener("pointercancel", (event) => this.#pointers.delete(event.pointerId));
    }

    #drag(event) {
      const pointer = this.#pointers.get(event.pointerId);
      if (!pointer) return;
      const by = { x: event.clientX - pointer.x, y: event.clientY - pointer.y };
      if (!pointer.far && Math.hypot(by.x, by.y) < 4) return;
      const others = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, other]) => other);
      const apart = others.length ? Math.hypot(pointer.x - others[0].x, pointer.y - others[0].y) : 0;
      Object.assign(pointer, { x: event.clientX, y: event.clientY, far: true });
      if (!others.length) { this.#move(-by.x / this.#at.px, -by.y / this.#at.px); return; }
      others[0].far = true;
      const box = this.stage.getBoundingClientRect();
      const middle = { x: (pointer.x + others[0].x) / 2 - box.left, y: (pointer.y + others[0].y) / 2 - box.top };
      this.#move(-by.x / 2 / this.#at.px, -by.y / 2 / this.#at.px);
      if (apart) this.#zoom(Math.hypot(pointer.x - others[0].x, pointer.y - others[0].y) / apart, middle.x, middle.y);
    }

    #choose(view, product) {
      this.setAttribute("product", product);
      this.setAttribute("view", view);
      this.dispatchEvent(new CustomEvent("weft-shown", { bubbles: true, detail: { view, product } }));
    }

    #zoom(by, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
      const { px } = this.#at;
      const next = Math.min(Math.max(px * by, 0.01), 60);
      this.show({ px_per_mm: next, x_mm: this.#at.x + x / px - x / next, y_mm: this.#at.y + y / px - y / next });
      this.#told();
    }

    #move(x, y) {
      this.show({ px_per_mm: this.#at.px, x_mm: this.#at.x + x, y_mm: this.#at.y + y });
      this.#told();
    }

    #told() { this.dispatchEvent(new CustomEvent("weft-view", { bubbles: true, detail: this.shown })); }

    #point(x, y) {
      if (this.#view === "product") return;
      const at = { x: this.#at.x + x / this.#at.px, y: this.#at.y + y / this.#at.px };
      const pin = this.#pins.find((each) => Math.hypot(each.x_mm - at.x, each.y_mm - at.y) * this.#at.px < 14);
      const { x: left, y: top, width, height, endless } = this.#extent;
      if (!pin && (at.x < left || at.x > left + width || (!endless && (at.y < top || at.y > top + height)))) return;
      const detail = pin ? { number: pin.number } : within(this.#layout, this.#width, this.#height, at.x, at.y);
      this.dispatchEvent(new CustomEvent(pin ? "weft-pin" : "weft-point", { bubbles: true, detail }));
    }

    // -------------------------------------------------------------- the picture

    async #load() {
      const src = this.getAttribute("src");
      this.#blocks.clear();
      this.tile = null;
      this.#state = src ? "loading" : "empty";
      this.#tell();
      this.#refit();
      if (!src) return;
      const picture = new Image();
      picture.src = src;
      try {
        await picture.decode();
      } catch {
        if (this.getAttribute("src") !== src) return;
        this.#state = "broken";
        this.#tell();
        return;
      }
      if (this.getAttribute("src") !== src) return;
      this.tile = picture;
      this.#blocks.clear();
      this.#state = "shown";
      this.#tell();
      this.#later();
    }

    /** Say how it stands: in words on the stage, and in the text that stands for the picture. */
    #tell() {
      this.dataset.state = this.#state;
      this.stage.setAttribute("aria-label", `${this.getAttribute("label") || ""} ${this.#say("stage")}`.trim());
      this.stage.setAttribute("aria-busy", String(this.#state === "loading"));
      this.help.textContent = this.#say("help");
      this.notice.hidden = this.#state === "shown";
      this.notice.textContent = this.#state === "shown" ? "" : this.#say(this.#state);
      if (this.#state === "broken") {
        const again = this.notice.appendChild(document.createElement("button"));
        again.type = "button";
        again.textContent = this.#say("retry");
        again.addEventListener("click", () => { this.stage.focus(); this.#load(); });
      }
      const repeat = this.#say("repeat", {
        width: this.#size(this.#width), height: this.#size(this.#height), layout: this.#say(this.#layout),
      });
      const caption = { width: `${this.#across()} · ${this.#say("usable", { width: this.#size(this.#cloth) })}` }[this.#view];
      this.caption.textContent = caption || (this.#view === "product" && this.#products ? `${this.#asProduct()} · ${repeat}` : repeat);
      this.canvas.setAttribute("aria-label", [
        this.getAttribute("label"), this.#say(this.#view), this.caption.textContent, this.#view === "width" ? repeat : "",
        this.#state === "shown" ? "" : this.#say(this.#state),
      ].filter(Boolean).join(". "));
    }

    #asProduct() {
      const { width, height } = this.#extent;
      const made = this.#products[this.#product] ? this.#product : "cushion";
      const { cloth } = this.#products[made];
      return this.#say("as", { product: this.#say(made), width: this.#size(cloth?.[0] || width), height: this.#size(cloth?.[1] || height) });
    }

    /** How many repeats stand side by side, in words: the dear mistake is a scale that nobody looked at. */
    #across() {
      const count = this.#cloth / this.#width;
      const whole = Math.round(count);
      if (count < 1 - 0.5 / this.#width) return this.#say("wide");
      // A width is a whole number of dots, a tenth of a millimetre each or less: what that adds up to is no cut.
      if (Math.abs(count - whole) * this.#width < Math.max(0.5, whole / 10)) return whole === 1 ? this.#say("once") : this.#say("whole", { count: whole });
      const places = Math.abs(count - whole) < 0.05 ? 2 : 1;
      return this.#say("cut", { count: this.#number(count, places) });
    }

    #refit() {
      if (!this.stage) return;
      if (this.#view === "product" && !this.#products) {
        import("./canvas_products.js").then((found) => { this.#products = found.PRODUCTS; this.#refit(); });
      }
      this.#tell();
      const across = this.stage.clientWidth;
      const down = this.stage.clientHeight;
      if (!across || !down) return;
      if (this.#fitted) {
        const { x, y, width, height, endless } = this.#extent;
        const ruled = this.#view === "width" ? RULER_PX : 0;
        const px = Math.min((across - ruled) / width, endless ? Infinity : down / height);
        this.#at = {
          px,
          x: x + width / 2 - (across + ruled) / 2 / px,
          y: endless ? y - ruled / px : y + height / 2 - down / 2 / px,
        };
      }
      this.#later();
    }

    #later = () => {
      if (this.waiting) return;
      this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.#draw(); });
    };

    /** The block that is drawn from at this many device pixels per millimetre: halved until it is hardly larger. */
    #block(px) {
      if (!this.#blocks.has(0)) {
        const tile = this.tile || this.#grid();
        this.#blocks.set(0, blockOf(tile, tile.naturalWidth || tile.width, tile.naturalHeight || tile.height, this.#layout));
      }
      const [columns] = period(this.#layout);
      const wanted = this.#width * columns * px;
      let [halvings, block] = [0, this.#blocks.get(0)];
      while (block.width >= 2 * wanted && block.width % 2 === 0 && block.height % 2 === 0 && block.width > 4) {
        halvings += 1;
        const larger = block;
        if (!this.#blocks.has(halvings)) {
          this.#blocks.set(halvings, painted(larger.width / 2, larger.height / 2, (context) => {
            context.drawImage(larger, 0, 0, larger.width / 2, larger.height / 2);
          }));
        }
        block = this.#blocks.get(halvings);
      }
      return block;
    }

    /** A neutral repeat: its edges, and a mark that shows which way is up and left. */
    #grid() {
      const width = 256;
      const height = Math.max(24, Math.round((width * this.#height) / this.#width / 6) * 6);
      return painted(width, height, (context) => {
        context.fillStyle = "#f4f2ec";
        context.fillRect(0, 0, width, height);
        context.strokeStyle = "#b9b3a4";
        context.lineWidth = 2;
        context.strokeRect(0, 0, width, height);
        context.fillStyle = "#d3cdbf";
        const side = Math.min(width, height);
        context.beginPath();
        context.moveTo(width / 2 - side / 5, height / 2 + side / 5);
        context.lineTo(width / 2 - side / 5, height / 2 - side / 5);
        context.lineTo(width / 2 + side / 5, height / 2 - side / 5);
        context.closePath();
        context.fill();
      });
    }

    #draw() {
      const across = this.stage.clientWidth;
      const down = this.stage.clientHeight;
      if (!across || !down) return;
      const fine = window.devicePixelRatio || 1;
      const [width, height] = [Math.round(across * fine), Math.round(down * fine)];
      if (this.canvas.width !== width) this.canvas.width = width;
      if (this.canvas.height !== height) this.canvas.height = height;
      const context = this.canvas.getContext("2d");
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, width, height);
      const px = this.#at.px * fine;
      const look = getComputedStyle(this);
      const colour = (name) => look.getPropertyValue(name).trim();
      const scene = {
        context, px, fine, width, height, x: this.#at.x, y: this.#at.y,
        ink: colour("--ink") || "#222", paper: colour("--paper") || "#eee", line: colour("--line") || "#ccc",
        accent: colour("--accent") || "#7a3b2e", card: colour("--card") || "#fff",
      };
      context.setTransform(px, 0, 0, px, -this.#at.x * px, -this.#at.y * px);
      if (this.#view === "product") this.#drawProduct(scene);
      else this.#drawCloth(scene);
      context.setTransform(fine, 0, 0, fine, 0, 0);
      if (this.#view !== "product") this.#drawPins(scene);
      if (this.#view === "width") this.#drawRulers(scene);
      if (this.stage.matches(":focus-visible")) this.#drawCross(scene);
    }

    /** Fill the present path, in millimetres, with cloth whose first repeat begins at (left, top). */
    #fill({ context, px }, path, left = 0, top = 0) {
      context.save();
      context.clip(path);
      if (this.#white) {
        context.fillStyle = this.#white;
        context.fill(path);
        context.globalCompositeOperation = "multiply";
      }
      const block = this.#block(px);
      const [columns, rows] = period(this.#layout);
      const pattern = context.createPattern(block, "repeat");
      pattern.setTransform(new DOMMatrix()
        .translate(left, top)
        .scale((this.#width * columns) / block.width, (this.#height * rows) / block.height));
      context.fillStyle = pattern;
      context.fill(path);
      context.restore();
    }

    #drawCloth(scene) {
      const { context, px } = scene;
      const { x, y, width, height, endless } = this.#extent;
      const edge = endless ? { x: 0, width: this.#cloth } : { x, width };
      const seen = { top: endless ? scene.y : y, height: endless ? scene.height / px : height };
      const path = new Path2D();
      path.rect(edge.x, seen.top, edge.width, seen.height);
      this.#fill(scene, path);
      if (this.#view === "width") this.#drawSelvedges(scene, seen);
      if (this.hasAttribute("seam")) {
        context.save();
        context.clip(path);
        this.#drawSeams(scene, edge, seen);
        context.restore();
      }
      if (this.#view === "width") this.#drawCut(scene, seen);
      context.strokeStyle = scene.line;
      context.lineWidth = scene.fine / px;
      context.stroke(path);
    }

    #drawSelvedges({ context, px, fine, ink }, { top, height }) {
      for (const left of [-SELVEDGE_MM, this.#cloth]) {
        context.save();
        const path = new Path2D();
        path.rect(left, top, SELVEDGE_MM, height);
        context.clip(path);
        context.fillStyle = this.#white || "#ffffff";
        context.fill(path);
        context.strokeStyle = ink;
        context.globalAlpha = 0.35;
        context.lineWidth = fine / px;
        context.beginPath();
        const step = Math.max(6, (6 * fine) / px);
        for (let at = Math.floor((top - SELVEDGE_MM) / step) * step; at < top + height; at += step) {
          context.moveTo(left, at + SELVEDGE_MM);
          context.lineTo(left + SELVEDGE_MM, at);
        }
        context.stroke();
        context.restore();
      }
    }

    /** Shade the repeat that the edge cuts: it is not whole, and somebody has to want it so. */
    #drawCut({ context, px, fine }, { top, height }) {
      const whole = Math.floor(this.#cloth / this.#width + 0.5 / this.#width);
      const from = whole * this.#width;
      if (this.#cloth - from < 0.5) return;
      context.fillStyle = "rgba(20, 20, 20, .16)";
      context.fillRect(from, top, this.#cloth - from, height);
      const edge = new Path2D(`M${from} ${top}v${height}`);
      for (const [stroke, wide, dash] of [["#fff", 4, []], ["#a3322a", 2, [6, 4]]]) {
        context.strokeStyle = stroke;
        context.lineWidth = (wide * fine) / px;
        context.setLineDash(dash.map((each) => (each * fine) / px));
        context.stroke(edge);
      }
      context.setLineDash([]);
    }

    /** Where repeats meet, as the layout sets them. */
    #drawSeams(scene, edge, seen) {
      const { context, px, fine } = scene;
      const [width, height, layout] = [this.#width, this.#height, this.#layout];
      const first = { column: Math.floor(edge.x / width), row: Math.floor(seen.top / height) };
      const last = { column: Math.ceil((edge.x + edge.width) / width), row: Math.ceil((seen.top + seen.height) / height) };
      if ((last.column - first.column) * (last.row - first.row) > 20000) return;
      const lines = new Path2D();
      const line = (x0, y0, x1, y1) => { lines.moveTo(x0, y0); lines.lineTo(x1, y1); };
      for (let column = first.column - (SHIFT[layout] ? 1 : 0); column <= last.column; column += 1) {
        const x = column * width;
        if (!SHIFT[layout]) line(x, seen.top, x, seen.top + seen.height);
        for (let row = first.row - 1; row <= last.row; row += 1) {
          const by = moved(layout, column, row);
          const y = row * height;
          if (DROP[layout]) line(x, y + by.y * height, x + width, y + by.y * height);
          else if (SHIFT[layout]) line(x + by.x * width, y, x + by.x * width, y + height);
        }
      }
      if (!DROP[layout]) {
        for (let row = first.row; row <= last.row; row += 1) line(edge.x, row * height, edge.x + edge.width, row * height);
      }
      // Dark under light: it shows on every design.
      for (const [stroke, wide, dash] of [["#fff", 3, []], ["#c2185b", 1.4, layout === "mirror" ? [8, 3, 2, 3] : [6, 4]]]) {
        context.strokeStyle = stroke;
        context.lineWidth = (wide * fine) / px;
        context.setLineDash(dash.map((each) => (each * fine) / px));
        context.stroke(lines);
      }
      context.setLineDash([]);
    }

    #drawProduct(scene) {
      const { context, px, fine, ink, line, card } = scene;
      const made = this.#products?.[this.#product] || this.#products?.cushion;
      if (!made) return;
      for (const part of made.parts) {
        const path = new Path2D(part.path);
        context.save();
        if (part.cloth) this.#fill(scene, path, ...part.cloth);
        else if (part.solid) {
          context.fillStyle = { wood: "#8d6e52", linen: "#efece4", metal: "#9aa0a6", dim: line, card }[part.solid] || part.solid;
          context.fill(path);
        }
        context.clip(path);
        for (const shade of part.shades || []) this.#drawShade(context, shade, made);
        context.restore();
        if (part.folds) {
          context.strokeStyle = "rgba(0, 0, 0, .28)";
          context.lineWidth = (1.2 * fine) / px;
          context.stroke(new Path2D(part.folds));
        }
        context.strokeStyle = ink;
        context.globalAlpha = 0.45;
        context.lineWidth = (1.1 * fine) / px;
        context.stroke(path);
        context.globalAlpha = 1;
      }
    }

    /** Light and dark over a part: [kind, x0, y0, x1, y1, [place, darkness; negative: light] …] in millimetres. */
    #drawShade(context, { from, to, round, stops }, made) {
      const gradient = round
        ? context.createRadialGradient(from[0], from[1], 0, from[0], from[1], round)
        : context.createLinearGradient(from[0], from[1], to[0], to[1]);
      for (const [place, dark] of stops) {
        gradient.addColorStop(place, dark < 0 ? `rgba(255, 255, 255, ${-dark})` : `rgba(0, 0, 0, ${dark})`);
      }
      context.fillStyle = gradient;
      context.fillRect(-10, -10, made.width + 20, made.height + 20);
    }

    #drawPins({ context, accent, card }) {
      context.font = "600 12px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (const { x_mm: x, y_mm: y, number } of this.#pins) {
        const at = { x: (x - this.#at.x) * this.#at.px, y: (y - this.#at.y) * this.#at.px };
        context.beginPath();
        context.arc(at.x, at.y, 11, 0, 2 * Math.PI);
        context.fillStyle = accent;
        context.fill();
        context.lineWidth = 2;
        context.strokeStyle = card;
        context.stroke();
        context.fillStyle = card;
        context.fillText(String(number), at.x, at.y + 0.5);
      }
    }

    /** Rulers above and at the left, in centimetres or inches, as fine as there is room for. */
    #drawRulers({ context, ink, card, line }) {
      const { px, x, y } = this.#at;
      const [across, down] = [this.stage.clientWidth, this.stage.clientHeight];
      const unit = this.#inches ? INCH_MM : 10;
      const step = unit * [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((each) => each * unit * px >= 44 || each === 100);
      const named = (mm) => this.#number(mm / unit, 1);
      context.fillStyle = card;
      context.fillRect(0, 0, across, RULER_PX);
      context.fillRect(0, 0, RULER_PX, down);
      context.fillStyle = ink;
      context.strokeStyle = ink;
      context.lineWidth = 1;
      context.font = "11px system-ui, sans-serif";
      context.textBaseline = "top";
      context.textAlign = "left";
      context.beginPath();
      for (let at = Math.max(0, Math.ceil(x / step) * step); at <= this.#cloth; at += step) {
        const place = Math.round((at - x) * px) + 0.5;
        if (place < RULER_PX || place > across) continue;
        context.moveTo(place, RULER_PX - 7);
        context.lineTo(place, RULER_PX);
        context.fillText(named(at), place + 3, 3);
      }
      for (let at = Math.ceil(y / step) * step; (at - y) * px < down; at += step) {
        const place = Math.round((at - y) * px) + 0.5;
        if (place < RULER_PX) continue;
        context.moveTo(RULER_PX - 7, place);
        context.lineTo(RULER_PX, place);
        context.save();
        context.translate(3, place - 3);
        context.rotate(-Math.PI / 2);
        context.fillText(named(at), 0, 0);
        context.restore();
      }
      context.stroke();
      context.fillText(this.#inches ? "in" : "cm", 4, 3);
      context.strokeStyle = line;
      context.strokeRect(RULER_PX + 0.5, RULER_PX + 0.5, across, down);
    }

    #drawCross({ context, card, ink }) {
      const [x, y] = [this.stage.clientWidth / 2, this.stage.clientHeight / 2];
      for (const [stroke, wide] of [[card, 4], [ink, 1.5]]) {
        context.strokeStyle = stroke;
        context.lineWidth = wide;
        context.beginPath();
        context.moveTo(x - 10, y); context.lineTo(x - 3, y); context.moveTo(x + 3, y); context.lineTo(x + 10, y);
        context.moveTo(x, y - 10); context.lineTo(x, y - 3); context.moveTo(x, y + 3); context.lineTo(x, y + 10);
        context.stroke();
      }
    }
  }

  customElements.define("weft-canvas", WeftCanvas);
})();
