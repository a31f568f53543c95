// Mouse, pen and fingers: drag bars, pan, zoom, choose.
import { AXIS } from "./view.js";
import { snapped } from "./snap.js";

const SLOP = 4;  // pixels before a press is a drag
const HOLD_MS = 280;  // a finger that rests so long on a bar picks it up

export class Pointer {
  constructor({ board, model, view, clock }) {
    Object.assign(this, { board, model, view, clock });
    this.points = new Map();
    const surface = view.upper;
    surface.addEventListener("pointerdown", (event) => this.down(event));
    addEventListener("pointermove", (event) => this.move(event));
    addEventListener("pointerup", (event) => this.up(event));
    addEventListener("pointercancel", (event) => this.up(event, true));
    surface.addEventListener("pointerleave", () => { if (!this.press) { view.hover = null; board.tip(""); view.redrawUpper(); } });
    surface.addEventListener("dblclick", (event) => { const bar = view.barAt(view.at(event)); if (bar) board.explain(bar); });
    surface.addEventListener("contextmenu", (event) => { if (this.press) event.preventDefault(); });
    view.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  wheel(event) {
    if (!this.model.data) return;
    const at = this.view.at(event);
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0022)), at.x);
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY) || this.view.total <= this.view.height) {
      event.preventDefault();
      this.view.pan(-(event.deltaX || event.deltaY) * (event.deltaMode ? 30 : 1));
    }
  }

  down(event) {
    if (event.button > 1 || !this.model.data) return;
    this.points.set(event.pointerId, event);
    if (this.points.size === 2) { this.letGo(true); this.pinch = this.spread(); return; }
    const at = this.view.at(event), bar = event.button ? null : this.view.barAt(at);
    this.view.upper.setPointerCapture(event.pointerId);
    this.press = { event, at, bar, x: event.clientX, y: event.clientY, what: "", left: this.view.left, scroll: this.view.stage.scrollTop };
    if (bar && event.pointerType === "touch") this.hold = setTimeout(() => { if (this.press && !this.press.what) this.pick(); }, HOLD_MS);
    if (event.pointerType === "mouse") event.preventDefault();
  }

  // A card of the tray is picked up.
  fromTray(event, bar) {
    this.press = { event, at: this.view.at(event), bar, x: event.clientX, y: event.clientY, what: "", tray: true };
    event.preventDefault();
  }

  spread() {
    const [a, b] = [...this.points.values()];
    return { apart: Math.max(10, Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)), x: (a.clientX + b.clientX) / 2 };
  }

  pick() {
    const { bar } = this.press;
    clearTimeout(this.hold);
    this.press.what = "carry";
    if (!this.board.pick(bar)) { this.press.what = "none"; return; }
    this.press.grip = this.press.tray || !bar.at ? 0 : this.press.at.minute - bar.at.start;
    this.view.counting(true);
  }

  move(event) {
    if (this.points.has(event.pointerId)) this.points.set(event.pointerId, event);
    if (this.pinch && this.points.size === 2) {
      const now = this.spread(), box = this.view.upper.getBoundingClientRect();
      this.view.pan(now.x - this.pinch.x);
      this.view.zoom(now.apart / this.pinch.apart, now.x - box.left);
      this.pinch = now;
      return;
    }
    if (!this.press) { if (event.target === this.view.upper) this.hovering(event); return; }
    if (event.pointerId !== this.press.event.pointerId) return;
    const dx = event.clientX - this.press.x, dy = event.clientY - this.press.y;
    if (!this.press.what) {
      if (Math.hypot(dx, dy) < SLOP) return;
      clearTimeout(this.hold);
      const finger = event.pointerType === "touch" && !this.press.tray;
      if (this.press.bar && !finger && !event.shiftKey) this.pick();
      else this.press.what = event.shiftKey && event.pointerType === "mouse" ? "marquee" : "pan";
    }
    if (this.press.what === "carry") this.carry(event);
    else if (this.press.what === "pan") {
      this.view.left = this.press.left - dx / this.view.perMinute;
      this.view.stage.scrollTop = this.press.scroll - dy;
      this.view.keepInside();
    } else if (this.press.what === "marquee") {
      const at = this.view.at(event);
      this.view.marquee = { x0: this.press.at.x, y0: this.press.at.y, x1: at.x, y1: at.y };
      this.view.redrawUpper();
    }
  }

  carry(event) {
    const { hand } = this.view, at = this.view.at(event);
    if (!hand) return;
    this.edges(at);
    const machine = at.band?.row && !hand.unable(at.band.row.code) ? at.band.row.code : hand.first.machine;
    if (at.band?.row && hand.unable(at.band.row.code)) this.board.tipAt(event, hand.unable(at.band.row.code), true);
    const row = this.model.row(machine), start = at.minute - this.press.grip;
    const place = event.altKey ? Math.max(Math.round(start), this.model.soonest) : snapped({
      clock: this.clock, row, lane: this.model.lanes.get(machine), start, perMinute: this.view.perMinute,
      soonest: this.model.soonest, carried: hand.ids,
    });
    if (place !== hand.first.start || machine !== hand.first.machine) hand.to(machine, place);
    this.outside = this.press.tray && !at.inside;
    if (!(at.band?.row && hand.unable(at.band.row.code))) this.board.tipAt(event, this.board.overWords(), false);
  }

  // Near an edge the board moves along.
  edges(at) {
    const reach = 36;
    if (at.x > this.view.width - reach && at.inside) this.view.pan(-8);
    else if (at.x < reach && at.inside) this.view.pan(8);
    if (at.y > this.view.height - reach && at.inside) this.view.stage.scrollTop += 8;
    else if (at.y < AXIS + reach && at.inside) this.view.stage.scrollTop -= 8;
  }

  hovering(event) {
    const at = this.view.at(event), bar = this.view.barAt(at);
    if (bar !== this.view.hover) { this.view.hover = bar; this.view.redrawUpper(); }
    this.view.upper.style.cursor = !bar ? "grab" : this.model.movable(bar) ? "move" : "default";
    this.board.tipAt(event, bar ? this.board.barWords(bar, { whole: true }) : this.board.groundWords(at), false);
  }

  up(event, lost = false) {
    this.points.delete(event.pointerId);
    if (this.points.size < 2) this.pinch = null;
    if (!this.press || event.pointerId !== this.press.event.pointerId) return;
    this.letGo(lost, event);
  }

  letGo(lost, event) {
    const press = this.press;
    clearTimeout(this.hold);
    this.press = null;
    this.view.counting(false);
    this.board.tip("");
    if (!press) return;
    if (press.what === "carry") {
      if (lost || this.outside) this.board.putBack();
      else this.board.drop();
    } else if (press.what === "marquee" && this.view.marquee) {
      this.chooseInside(event?.ctrlKey);
    } else if (!press.what && !lost) {
      if (press.tray) this.board.enterTray(press.bar);
      else this.board.choose(press.bar, { more: event?.ctrlKey || event?.metaKey || event?.shiftKey });
    }
    this.view.marquee = null;
    this.view.redrawUpper();
  }

  chooseInside(more) {
    const { x0, y0, x1, y1 } = this.view.marquee, scroll = this.view.stage.scrollTop;
    const inside = [...this.model.bars.values()].filter((bar) => {
      if (!bar.at) return false;
      const box = this.view.box(bar), top = box.top - scroll;
      return box.right > Math.min(x0, x1) && box.start < Math.max(x0, x1) && top + box.height > Math.min(y0, y1) && top < Math.max(y0, y1);
    });
    this.board.chooseAll(inside, more);
  }
}
