// Draws the board: only the rows and bars that can be seen. Two canvases: what stands, and above it what is in the hand.
import { fill } from "./time.js";

export const AXIS = 44;
const ROW = 46;
const HEAD = 24;
const PAD = 5;
const KINDS = ["loom", "printer", "finishing", "cutting", "design", "gpu"];
const FRAME_MS = 9;  // of a frame, for drawing rows anew
const FONT = "system-ui, sans-serif";

// The first of sorted spans that is not over by then.
function firstOver(spans, minute) {
  let low = 0, high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle][1] <= minute) low = middle + 1; else high = middle;
  }
  return low;
}

export class View extends EventTarget {
  constructor(model, clock, words, paint) {
    super();
    Object.assign(this, { model, clock, words, paint });
    const find = (id) => document.getElementById(id);
    this.stage = find("stage"); this.rows = find("rows"); this.holder = find("canvases"); this.labels = find("labels");
    this.lower = find("lower"); this.upper = find("upper");
    this.low = this.lower.getContext("2d"); this.high = this.upper.getContext("2d");
    this.colour = "customer";
    this.left = 0;
    this.perMinute = 0.2;
    this.bands = [];
    this.dirty = { low: true, high: true, rows: new Set() };
    this.side = this.width = this.height = 10;
    this.byCode = new Map();
    this.hand = null;
    this.marquee = null;
    this.hover = null;
    this.focused = null;
    this.widths = new Map();
    this.categories = new Map();
    this.chosenJobs = new Set();
    this.counts = { frames: 0, ms: 0, worst: 0, running: false };
    new ResizeObserver(() => this.resize()).observe(this.stage);
    this.stage.addEventListener("scroll", () => this.redraw(), { passive: true });
    model.addEventListener("set", () => { this.sortColours(); this.redraw(); });
    model.addEventListener("laid", (event) => this.redrawRows(event.detail.rows));
    paint.dark.addEventListener("change", () => { paint.read(); this.sortColours(); this.redraw(); });
    this.tick = this.tick.bind(this);
    requestAnimationFrame(this.tick);
  }

  // ---------------------------------------------------------------- geometry

  x(minute) { return (minute - this.left) * this.perMinute; }

  minute(x) { return this.left + x / this.perMinute; }

  // Where the machines' rows are, by kind; from the top of the scrolled area.
  arrange() {
    this.bands = [];
    let top = AXIS, kind = null;
    for (const row of this.model.data.rows) {
      if (row.kind !== kind) {
        kind = row.kind;
        this.bands.push({ head: KINDS.includes(kind) ? this.words[kind] : this.words.other, top, height: HEAD });
        top += HEAD;
      }
      this.bands.push({ row, top, height: ROW });
      top += ROW;
    }
    this.total = top;
    this.byCode = new Map(this.bands.filter((band) => band.row).map((band) => [band.row.code, band]));
    this.rows.style.height = `${Math.max(top, this.height)}px`;
  }

  band(code) { return this.byCode.get(code); }

  bandAt(y) { return this.bands.find((band) => y >= band.top && y < band.top + band.height); }

  // From the page's coordinates to canvas and row.
  at(event) {
    const box = this.upper.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    return { x, y, inside: x >= 0 && y >= 0 && x < this.width && y < this.height, minute: this.minute(x), band: y < AXIS ? null : this.bandAt(y + this.stage.scrollTop) };
  }

  barAt({ x, minute, band }) {
    if (!band?.row || x < 0) return null;
    const lane = this.model.lanes.get(band.row.code);
    const reach = 3 / this.perMinute;
    let found = null;
    for (const bar of lane) {
      if (bar.at.changeover > minute + reach) break;
      if (bar.at.end >= minute - reach) found = bar.at.start <= minute + reach || !found ? bar : found;
    }
    return found;
  }

  box(bar) {
    const band = this.band(bar.at.machine);
    return { left: this.x(bar.at.changeover), start: this.x(bar.at.start), right: this.x(bar.at.end), top: band.top + PAD, height: ROW - 2 * PAD };
  }

  // The same in the page's coordinates, for tests and for what is shown beside a bar.
  where(id) {
    const bar = this.model.bars.get(id);
    if (!bar?.at) return null;
    const box = this.box(bar), page = this.upper.getBoundingClientRect();
    return { x: page.left + box.start, y: page.top + box.top - this.stage.scrollTop, width: Math.max(4, box.right - box.start), height: box.height };
  }

  resize() {
    const wide = this.stage.clientWidth;
    if (!wide) return;
    this.side = wide < 640 ? 92 : 208;
    this.width = Math.max(10, wide - this.side);
    this.height = this.stage.clientHeight;
    const ratio = Math.min(2, devicePixelRatio || 1);
    for (const canvas of [this.lower, this.upper]) {
      canvas.width = Math.round(this.width * ratio);
      canvas.height = Math.round(this.height * ratio);
      canvas.style.width = `${this.width}px`;
      canvas.style.height = `${this.height}px`;
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.holder.style.height = `${this.height}px`;
    this.holder.style.marginLeft = `${this.side}px`;
    this.labels.style.width = `${this.side}px`;
    if (this.model.data) this.arrange();
    this.redraw();
    this.dispatchEvent(new Event("resized"));
  }

  pan(pixels) { this.left -= pixels / this.perMinute; this.keepInside(); }

  zoom(factor, x = this.width / 2) {
    const minute = this.minute(x);
    this.perMinute = Math.min(12, Math.max(this.width / (140 * 1440), this.perMinute * factor));
    this.left = minute - x / this.perMinute;
    this.keepInside();
  }

  keepInside() {
    const { start, end } = this.model.data;
    this.left = Math.max(start - 1440 - 0.3 * this.width / this.perMinute, Math.min(end - 60, this.left));
    this.redraw();
  }

  show(from, until) {
    this.perMinute = Math.min(12, this.width / Math.max(30, until - from));
    this.left = from;
    this.keepInside();
  }

  whole() {
    let last = this.model.data.now + 8 * 60;
    for (const bar of this.model.bars.values()) if (bar.at) last = Math.max(last, bar.at.end);
    const from = this.model.data.now - 60;
    this.show(from, last + 0.03 * (last - from));
  }

  // `covered`: pixels on the right that something lies over.
  reveal(bar, covered = 0) {
    const box = this.box(bar), wide = Math.max(80, this.width - covered);
    if (box.start < 8 || box.right > wide - 8) {
      this.left = bar.at.changeover - Math.min(0.3 * wide, Math.max(20, wide - (box.right - box.left) - 20)) / this.perMinute;
      this.keepInside();
    }
    const top = box.top - AXIS - HEAD, bottom = box.top + box.height + PAD;
    if (this.stage.scrollTop > top) this.stage.scrollTop = top;
    if (this.stage.scrollTop + this.height < bottom) this.stage.scrollTop = bottom - this.height;
    this.redraw();
  }

  // ---------------------------------------------------------------- frames

  redraw() { this.dirty.low = this.dirty.high = true; }

  redrawUpper() { this.dirty.high = true; }

  redrawRows(codes) { for (const code of codes) this.dirty.rows.add(code); this.dirty.high = true; }

  tick(time) {
    if (this.counts.running) {
      if (this.counts.last) {
        this.counts.frames += 1;
        this.counts.ms += time - this.counts.last;
        this.counts.worst = Math.max(this.counts.worst, time - this.counts.last);
      }
      this.counts.last = time;
    }
    if (this.model.data && this.bands.length) {
      if (this.dirty.low) {
        this.dirty.low = false; this.dirty.rows.clear();
        this.drawLower(); this.drawLabels(); this.dispatchEvent(new Event("drawn"));
      } else if (this.dirty.rows.size) this.drawSomeRows(time);
      if (this.dirty.high) { this.dirty.high = false; this.drawUpper(); }
    }
    requestAnimationFrame(this.tick);
  }

  counting(on) {
    if (on) this.counts = { frames: 0, ms: 0, worst: 0, running: true, last: 0 };
    else this.counts.running = false;
  }

  // ---------------------------------------------------------------- colours

  sortColours() {
    this.categories = new Map();
    if (!this.model.data || this.colour === "lateness") { this.dispatchEvent(new Event("coloured")); return; }
    const counts = new Map();
    for (const bar of this.model.bars.values()) {
      const key = this.model.data.works[bar.job]?.[this.colour] ?? "";
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    [...counts.keys()].sort((a, b) => String(a).localeCompare(String(b), undefined, { numeric: true })).forEach((key, number) => this.categories.set(key, { fill: this.paint.fill(number), count: counts.get(key) }));
    this.dispatchEvent(new Event("coloured"));
  }

  lateKind(job) {
    const late = this.model.late(job);
    return late > 0 ? "late" : late > -1440 ? "day" : "time";
  }

  fillOf(bar) {
    if (this.colour === "lateness") return this.paint.tint(this.lateKind(bar.job));
    return this.categories.get(this.model.data.works[bar.job]?.[this.colour] ?? "")?.fill ?? this.paint.line;
  }

  // ---------------------------------------------------------------- what stands

  drawLower() {
    const pen = this.low, { paint, width, height } = this, scroll = this.stage.scrollTop;
    const from = this.left, until = this.minute(width);
    pen.fillStyle = paint.card;
    pen.fillRect(0, 0, width, height);
    const ticks = this.ticks = this.clock.ticks(from, until, this.perMinute);
    this.drawBands(pen, this.bands, from, until, scroll);
    this.axis(pen, ticks);
  }

  // Rows in which something has changed, as many as a frame has time for; where they are all has been drawn before.
  drawSomeRows(began) {
    const pen = this.low, scroll = this.stage.scrollTop, from = this.left, until = this.minute(this.width);
    for (const code of this.dirty.rows) {
      this.dirty.rows.delete(code);
      const band = this.band(code), top = (band?.top ?? 0) - scroll;
      if (!band || top + band.height < AXIS || top > this.height) continue;
      pen.save();
      pen.beginPath();
      pen.rect(0, Math.max(AXIS, top), this.width, Math.min(band.height, top + band.height - AXIS));
      pen.clip();
      this.drawBands(pen, [band], from, until, scroll);
      pen.restore();
      if (performance.now() - began > FRAME_MS) break;
    }
    if (!this.dirty.rows.size) this.dispatchEvent(new Event("drawn"));
  }

  drawBands(pen, bands, from, until, scroll) {
    const { paint, width, height, ticks } = this;
    for (const band of bands) {
      const top = band.top - scroll;
      if (top + band.height < AXIS || top > height) continue;
      if (band.head) {
        pen.fillStyle = paint.paper;
        pen.fillRect(0, top, width, band.height);
        continue;
      }
      pen.fillStyle = paint.closed;
      pen.fillRect(0, top, width, band.height);
      pen.fillStyle = paint.card;
      for (const [a, b] of band.row.open) if (b > from && a < until) this.span(pen, a, b, top, band.height);
    }
    this.zones(pen, from, until, scroll);
    pen.strokeStyle = paint.line;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const { at, day } of ticks.lines) {
      const x = Math.round(this.x(at)) + 0.5;
      pen.moveTo(x, AXIS - (day ? 18 : 8));
      pen.lineTo(x, height);
    }
    pen.globalAlpha = 0.55;
    pen.stroke();
    pen.globalAlpha = 1;
    for (const band of bands) {
      const top = band.top - scroll;
      if (!band.row || top + band.height < AXIS || top > height) continue;
      pen.fillStyle = paint.line;
      pen.fillRect(0, top + band.height - 1, width, 1);
      for (const [a, b, what] of band.row.taken) if (b > from && a < until) this.stopped(pen, a, b, top, what ? fill(this.words.taken, { what }) : "", paint.line);
      for (const [a, b, why] of band.row.down) if (b > from && a < until) this.stopped(pen, a, b, top, fill(this.words.down, { why }), paint.bad);
      this.drawLane(pen, this.model.lanes.get(band.row.code) ?? [], from, until, top);
    }
    this.line(pen, this.model.data.now, paint.accent, 2, []);
  }

  span(pen, a, b, top, height) {
    const left = Math.max(0, this.x(a)), right = Math.min(this.width, this.x(b));
    pen.fillRect(left, top, right - left, height);
  }

  zones(pen, from, until, scroll) {
    const { now, frozen, slushy } = this.model.data;
    const bottom = Math.min(this.height, this.total - scroll);
    for (const [a, b, colour] of [[from, now, this.paint.closed], [now, frozen, this.paint.frozen], [frozen ?? now, slushy, this.paint.slushy]]) {
      if (!b || b <= a || b < from || a > until) continue;
      pen.fillStyle = colour;
      pen.globalAlpha = colour === this.paint.closed ? 0.5 : 1;
      this.span(pen, a, b, AXIS, bottom - AXIS);
      pen.globalAlpha = 1;
    }
    for (const at of [frozen, slushy]) if (at && at > now) this.line(pen, at, this.paint.focus, 1, [3, 4]);
  }

  line(pen, minute, colour, width, dash) {
    const x = Math.round(this.x(minute)) + 0.5;
    if (x < 0 || x > this.width) return;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(x, AXIS);
    pen.lineTo(x, this.height);
    pen.stroke();
    pen.setLineDash([]);
  }

  stopped(pen, a, b, top, words, colour) {
    const left = Math.max(0, this.x(a)), right = Math.min(this.width, this.x(b));
    pen.fillStyle = this.paint.hatch(pen, colour, this.paint.closed);
    pen.globalAlpha = 0.8;
    pen.fillRect(left, top, right - left, ROW - 1);
    pen.globalAlpha = 1;
    if (words && right - left > 60) {
      pen.font = `11px ${FONT}`;
      const text = this.short(pen, words, right - left - 16);
      pen.fillStyle = this.paint.card;
      pen.fillRect(left + 4, top + 15, this.wide(pen, text) + 8, 16);
      pen.fillStyle = this.paint.ink;
      pen.fillText(text, left + 8, top + 27);
    }
  }

  axis(pen, { lines, heads, step }) {
    pen.fillStyle = this.paint.card;
    pen.fillRect(0, 0, this.width, AXIS);
    pen.fillStyle = this.paint.line;
    pen.fillRect(0, AXIS - 1, this.width, 1);
    pen.fillStyle = this.paint.ink;
    pen.textBaseline = "alphabetic";
    pen.font = `11px ${FONT}`;
    let free = -1;
    for (const { at, label } of lines) {
      const x = this.x(at);
      if (x > free && x < this.width - 4) { pen.fillText(label, x + 3, AXIS - 8); free = x + this.wide(pen, label) + 8; }
      pen.fillRect(Math.round(x), AXIS - 6, 1, 6);
    }
    pen.font = `600 12px ${FONT}`;
    heads.forEach(({ at, label }, number) => {
      const next = heads[number + 1] ? this.x(heads[number + 1].at) : Infinity;
      const x = Math.max(3, this.x(at) + 3);
      if (step < 720 && x + this.wide(pen, label) < next) pen.fillText(label, x, 17);
    });
    const now = this.x(this.model.data.now);
    if (now >= 0 && now < this.width) {
      pen.font = `600 11px ${FONT}`;
      const wide = this.wide(pen, this.words.now) + 8;
      pen.fillStyle = this.paint.accent;
      pen.fillRect(now - 1, AXIS - 19, wide, 16);
      pen.fillStyle = this.paint.card;
      pen.fillText(this.words.now, now + 3, AXIS - 7);
    }
  }

  drawLane(pen, lane, from, until, top) {
    for (const bar of lane) {
      if (bar.at.end < from) continue;
      if (bar.at.changeover > until) break;
      this.drawBar(pen, bar, bar.at, top + PAD);
    }
  }

  drawBar(pen, bar, at, top, { ghost = false } = {}) {
    const { paint } = this, height = ROW - 2 * PAD;
    const start = this.x(at.start), end = this.x(at.end), left = this.x(at.changeover);
    const wide = Math.max(1.5, end - start - 1);
    const chosen = this.model.selected.has(bar.id);
    const related = this.chosenJobs?.has(bar.job);
    pen.globalAlpha = ghost ? 0.75 : this.chosenJobs?.size && !related ? 0.5 : 1;
    if (start - left > 1.5) this.changeover(pen, at, top, height);
    pen.fillStyle = this.fillOf(bar);
    pen.fillRect(start, top, wide, height);
    const late = this.model.late(bar.job) > 0;
    if (late) { pen.fillStyle = paint.bad; pen.fillRect(start, top, Math.min(4, wide), height); }
    if (wide > 5) {
      pen.lineWidth = chosen ? 2.5 : bar.moved ? 2 : 1;
      pen.strokeStyle = chosen ? paint.focus : bar.moved ? paint.accent : late ? paint.bad : paint.line;
      pen.setLineDash(bar.kind === "quote" ? [5, 4] : bar.kind === "erp" ? [2, 3] : []);
      if (bar.kind === "quote" || bar.kind === "erp") pen.strokeStyle = chosen ? paint.focus : paint.ink;
      pen.strokeRect(start + pen.lineWidth / 2, top + pen.lineWidth / 2, wide - pen.lineWidth, height - pen.lineWidth);
      pen.setLineDash([]);
    } else if (chosen || bar.moved) {
      pen.fillStyle = chosen ? paint.focus : paint.accent;
      pen.fillRect(start, top + height - 4, wide, 4);
    }
    this.marks(pen, bar, at, start, wide, top, height);
    pen.globalAlpha = 1;
  }

  // Hatched where the machine is open; where it waits for its next shift, only a line leads on.
  changeover(pen, at, top, height) {
    const { paint } = this, before = pen.globalAlpha;
    pen.globalAlpha = before * 0.6;
    pen.fillStyle = paint.ink;
    pen.fillRect(this.x(at.changeover), top + height / 2, this.x(at.start) - this.x(at.changeover), 1);
    pen.fillStyle = paint.hatch(pen, paint.ink, paint.card);
    const { open } = this.band(at.machine).row;
    for (let number = firstOver(open, at.changeover); number < open.length && open[number][0] < at.start; number += 1) {
      const [a, b] = open[number];
      const left = this.x(Math.max(a, at.changeover));
      pen.fillRect(left, top + 6, this.x(Math.min(b, at.start)) - left, height - 12);
    }
    pen.globalAlpha = before;
  }

  // Words and signs on a bar, as far as there is room.
  marks(pen, bar, at, start, wide, top, height) {
    const { paint } = this;
    let room = wide - 8, x = Math.max(start, 0) + 7;
    room -= x - 7 - start;
    if (room < 14) return;
    pen.fillStyle = paint.ink;
    if (bar.kind === "running") {
      pen.beginPath(); pen.moveTo(x, top + 6); pen.lineTo(x + 8, top + 11); pen.lineTo(x, top + 16); pen.fill();
      x += 12; room -= 12;
    } else if (bar.kind === "frozen" || bar.kind === "blocked" || bar.kind === "inspecting") {
      pen.fillRect(x, top + 7, 3, 9); pen.fillRect(x + 5, top + 7, 3, 9);
      x += 12; room -= 12;
    } else if (at.pinned) {
      pen.beginPath(); pen.arc(x + 4, top + 9, 4, 0, 7); pen.fill(); pen.fillRect(x + 3, top + 12, 2, 7);
      x += 12; room -= 12;
    }
    if (room < 30) return;
    pen.font = `600 11.5px ${FONT}`;
    pen.fillText(this.short(pen, bar.job.replace(/^WL-0*/, "WL-"), room), x, top + 15);
    if (height < 30) return;
    pen.font = `11px ${FONT}`;
    const work = this.model.data.works[bar.job];
    pen.fillText(this.short(pen, `${bar.name} · ${work?.customer ?? ""}`, wide - 12 - Math.max(0, -start)), Math.max(start, 0) + 7, top + 30);
  }

  wide(pen, text) {
    const key = pen.font + text;
    let found = this.widths.get(key);
    if (found === undefined) {
      found = pen.measureText(text).width;
      if (this.widths.size > 8000) this.widths.clear();
      this.widths.set(key, found);
    }
    return found;
  }

  short(pen, text, room) {
    const whole = this.wide(pen, text);
    if (whole <= room) return text;
    const letters = Math.floor((text.length * (room - 8)) / whole);
    return letters < 3 ? "" : `${text.slice(0, letters)}…`;
  }

  // ---------------------------------------------------------------- what is in the hand

  drawUpper() {
    const pen = this.high, { paint, width, height } = this, scroll = this.stage.scrollTop;
    pen.clearRect(0, 0, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(0, AXIS, width, height - AXIS);
    pen.clip();
    for (const job of this.chosenJobs ?? []) this.connect(pen, job, scroll);
    if (this.hand) {
      for (const band of this.bands) {
        if (!band.row || !this.hand.unable(band.row.code)) continue;
        pen.fillStyle = paint.paper;
        pen.globalAlpha = 0.75;
        pen.fillRect(0, band.top - scroll, width, band.height - 1);
        pen.globalAlpha = 1;
      }
      for (const { bar, at, machine, start, minutes } of this.hand.places()) {
        if (at && this.band(at.machine)) {
          const home = this.band(at.machine);
          pen.setLineDash([4, 3]);
          pen.strokeStyle = paint.ink;
          pen.strokeRect(this.x(at.start) + 0.5, home.top - scroll + PAD + 0.5, Math.max(2, (at.end - at.start) * this.perMinute - 1), ROW - 2 * PAD);
          pen.setLineDash([]);
        }
        const band = this.band(machine);
        if (!band) continue;
        const top = band.top - scroll + PAD;
        pen.shadowColor = "rgb(0 0 0 / .35)"; pen.shadowBlur = 10;
        pen.fillStyle = this.fillOf(bar);
        pen.fillRect(this.x(start), top, Math.max(3, minutes * this.perMinute), ROW - 2 * PAD);
        pen.shadowBlur = 0;
        this.drawBar(pen, bar, { machine, start, end: start + minutes, changeover: start }, top, { ghost: true });
        pen.strokeStyle = this.hand.refused ? paint.bad : paint.accent;
        pen.lineWidth = 2;
        pen.strokeRect(this.x(start) + 1, top + 1, Math.max(3, minutes * this.perMinute) - 2, ROW - 2 * PAD - 2);
      }
    } else if (this.hover && this.model.movable(this.hover)) {
      const box = this.box(this.hover);
      pen.strokeStyle = paint.accent;
      pen.lineWidth = 1.5;
      pen.strokeRect(box.start + 0.5, box.top - scroll + 0.5, Math.max(2, box.right - box.start - 1), box.height - 1);
    }
    if (this.marquee) {
      const { x0, y0, x1, y1 } = this.marquee;
      pen.fillStyle = paint.frozen;
      pen.strokeStyle = paint.focus;
      pen.lineWidth = 1;
      pen.fillRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
      pen.strokeRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
    }
    pen.restore();
  }

  // The other operations of a chosen order, joined; and the line at which it is due.
  connect(pen, job, scroll) {
    const { paint } = this, chain = this.model.ofJob(job);
    pen.strokeStyle = paint.focus;
    pen.lineWidth = 1.5;
    chain.slice(1).forEach((bar, number) => {
      const before = this.box(chain[number]), here = this.box(bar);
      const y0 = before.top - scroll + before.height / 2, y1 = here.top - scroll + here.height / 2;
      const bend = Math.max(14, Math.min(60, Math.abs(here.start - before.right) / 2));
      pen.beginPath();
      pen.moveTo(before.right, y0);
      pen.bezierCurveTo(before.right + bend, y0, here.start - bend, y1, here.start, y1);
      pen.stroke();
    });
    const due = this.model.data.works[job]?.due;
    if (due) {
      const late = this.model.late(job) > 0;
      this.line(pen, due, late ? paint.bad : paint.good, 2, [6, 4]);
      const x = this.x(due);
      if (x > 0 && x < this.width) {
        pen.font = `600 11px ${FONT}`;
        const text = `${this.words.due} ${job.replace(/^WL-0*/, "WL-")}`;
        const wide = this.wide(pen, text);
        pen.fillStyle = paint.card;
        pen.fillRect(x - wide - 10, AXIS + 2, wide + 8, 16);
        pen.fillStyle = late ? paint.bad : paint.good;
        pen.fillText(text, x - wide - 6, AXIS + 14);
      }
    }
  }

  // ---------------------------------------------------------------- the machines' names

  drawLabels() {
    const scroll = this.stage.scrollTop, seen = new Set();
    for (const band of this.bands) {
      if (band.top + band.height < scroll || band.top > scroll + this.height) continue;
      const key = band.head ? `head ${band.head}` : band.row.code;
      seen.add(key);
      let label = this.labelled?.get(key);
      if (!label) {
        label = this.label(band);
        (this.labelled ??= new Map()).set(key, label);
        const next = [...this.labels.children].find((each) => Number(each.dataset.top) > band.top);
        this.labels.insertBefore(label, next ?? null);
      }
      label.dataset.top = band.top;
      label.style.top = `${band.top}px`;
    }
    for (const [key, label] of this.labelled ?? []) {
      if (seen.has(key) || label.contains(document.activeElement)) continue;
      label.remove();
      this.labelled.delete(key);
    }
    if (this.hand) for (const [code, label] of this.labelled) label.classList.toggle("cannot-do", Boolean(this.hand.unable(code)));
    else for (const label of this.labelled?.values() ?? []) label.classList.remove("cannot-do");
  }

  label(band) {
    const element = document.createElement("div");
    if (band.head) {
      element.className = "kind";
      element.textContent = band.head;
      return element;
    }
    element.className = "machine";
    const name = band.row.name.replace(/ \(.*/, ""), facts = band.row.name.match(/\((.*)\)/)?.[1] ?? "";
    const inner = document.createElement(this.model.settings.may ? "button" : "div");
    if (this.model.settings.may) { inner.type = "button"; inner.dataset.machine = band.row.code; }
    const title = document.createElement("b");
    title.textContent = name;
    const small = document.createElement("small");
    small.textContent = facts || band.row.code;
    inner.append(title, small);
    element.append(inner);
    return element;
  }
}
