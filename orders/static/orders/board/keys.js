// The whole board by keyboard: from bar to bar, pick up, carry, drop.
import { roundTo, stepped } from "./snap.js";

export class Keys {
  constructor({ board, model, view, clock }) {
    Object.assign(this, { board, model, view, clock });
    this.button = document.getElementById("focus");
    this.button.addEventListener("keydown", (event) => this.pressed(event));
    this.button.addEventListener("focus", () => { if (!this.bar()) this.first(); this.place(); this.say(); });
    this.button.addEventListener("blur", () => { if (this.carrying) board.putBack(); });
    this.button.addEventListener("click", () => { const bar = this.bar(); if (bar) board.explain(bar); });
    view.addEventListener("drawn", () => this.place());
    document.addEventListener("keydown", (event) => this.anywhere(event));
  }

  bar() { const bar = this.model.bars.get(this.view.focused); return bar?.at || this.carrying ? bar : null; }

  get carrying() { return Boolean(this.view.hand && this.byKeys); }

  first() {
    const bars = [...this.model.bars.values()].filter((bar) => bar.at);
    const chosen = bars.find((bar) => this.model.selected.has(bar.id));
    bars.sort((a, b) => Math.abs(a.at.start - this.model.soonest) - Math.abs(b.at.start - this.model.soonest));
    this.view.focused = (chosen ?? bars[0])?.id ?? null;
  }

  // The focus ring is a real button that lies over the bar.
  place() {
    if (!this.bar()) this.first();
    const bar = this.bar();
    this.button.hidden = !bar;
    if (!bar) return;
    const at = this.carrying ? { machine: this.view.hand.first.machine, start: this.view.hand.first.start, end: this.view.hand.first.start + this.view.hand.minutes(this.view.hand.first) } : bar.at;
    const band = this.view.band(at.machine);
    if (!band) return;
    const left = Math.max(-4, Math.min(this.view.width - 8, this.view.x(at.start)));
    const right = Math.max(left + 8, Math.min(this.view.width, this.view.x(at.end)));
    const style = { left: `${this.view.side + left}px`, top: `${band.top + 5}px`, width: `${right - left}px`, height: `${band.height - 10}px` };
    for (const [name, value] of Object.entries(style)) if (this.button.style[name] !== value) this.button.style[name] = value;
    const label = this.board.barWords(bar, { whole: true });
    if (this.button.getAttribute("aria-label") !== label) this.button.setAttribute("aria-label", label);
  }

  say() { const bar = this.bar(); if (bar && !this.carrying) this.board.say(this.board.barWords(bar, { whole: true })); }

  go(bar, { more = false } = {}) {
    if (!bar) return;
    this.view.focused = bar.id;
    if (more) this.board.choose(bar, { more: true, on: true });
    this.view.reveal(bar);
    this.place();
    this.say();
  }

  pressed(event) {
    const { key } = event;
    if (this.carrying) { this.carry(event); return; }
    const bar = this.bar();
    if (!bar || event.altKey) return;
    const lane = this.model.lanes.get(bar.at.machine), number = lane.indexOf(bar);
    const done = () => event.preventDefault();
    if (key === "ArrowRight" || key === "ArrowLeft") { done(); this.beside(lane, number, key === "ArrowRight" ? 1 : -1, event.shiftKey); }
    else if (key === "ArrowDown" || key === "ArrowUp") { done(); this.above(bar, key === "ArrowDown" ? 1 : -1, event.shiftKey); }
    else if (key === "Home" || key === "End") { done(); this.go(lane.at(key === "Home" ? 0 : -1)); }
    else if (key === " " || key === "Enter") { done(); this.pick(bar); }
    else if (key === "w" || key === "W") { done(); this.board.explain(bar); }
    else if (key === "p" || key === "P") { done(); this.board.togglePin(bar); }
    else if (key === "s" || key === "S") { done(); this.board.choose(bar, { more: true }); }
    else if (key === "Escape") { done(); this.board.chooseAll([]); }
  }

  beside(lane, number, direction, more) {
    const bar = lane[number + direction];
    if (more && !this.model.selected.has(lane[number].id)) this.board.choose(lane[number], { more: true, on: true });
    this.go(bar, { more });
  }

  above(bar, direction, more) {
    const rows = this.model.data.rows, here = rows.findIndex((row) => row.code === bar.at.machine);
    for (let number = here + direction; number >= 0 && number < rows.length; number += direction) {
      const lane = this.model.lanes.get(rows[number].code);
      if (!lane.length) continue;
      const near = lane.reduce((best, each) => (Math.abs(each.at.start - bar.at.start) < Math.abs(best.at.start - bar.at.start) ? each : best));
      this.go(near, { more });
      return;
    }
  }

  pick(bar) {
    this.byKeys = true;
    if (!this.board.pick(bar)) { this.byKeys = false; return; }
    this.board.sayNow(this.board.fill("picked", { bar: this.board.barWords(bar) }));
  }

  carry(event) {
    const { key } = event, { hand } = this.view;
    if (event.ctrlKey && key.toLowerCase() === "z") return;
    if (key === "Tab") return;
    event.preventDefault();
    const row = this.model.row(hand.first.machine);
    if (key === "ArrowRight" || key === "ArrowLeft") {
      const grid = event.ctrlKey ? 60 : event.shiftKey ? 1440 : roundTo(this.clock, this.view.perMinute);
      const start = stepped({
        clock: this.clock, row, lane: this.model.lanes.get(row.code), start: hand.first.start, direction: key === "ArrowRight" ? 1 : -1,
        grid, minutes: hand.minutes(hand.first), soonest: this.model.soonest, carried: hand.ids,
      });
      this.to(row.code, start);
    } else if (key === "ArrowUp" || key === "ArrowDown") this.otherMachine(key === "ArrowDown" ? 1 : -1);
    else if (key === "Enter" || key === " ") { this.byKeys = false; this.board.drop(); }
    else if (key === "Escape") { this.byKeys = false; this.board.putBack(); }
  }

  to(machine, start) {
    const { hand } = this.view;
    hand.to(machine, start);
    const x = this.view.x(start), wide = hand.minutes(hand.first) * this.view.perMinute;
    if (x < 20 || x + Math.min(wide, this.view.width / 2) > this.view.width - 20) { this.view.left = start - (this.view.width * 0.4) / this.view.perMinute; this.view.keepInside(); }
    const band = this.view.band(machine);
    if (band.top + band.height > this.view.stage.scrollTop + this.view.height) this.view.stage.scrollTop = band.top + band.height - this.view.height;
    if (band.top - 50 < this.view.stage.scrollTop) this.view.stage.scrollTop = Math.max(0, band.top - 70);
    this.place();
    this.board.sayNow(this.board.overWords());
  }

  // Up and down go to the machines that can do it; of those that can't, why is said in passing.
  otherMachine(direction) {
    const { hand } = this.view, rows = this.model.data.rows;
    const said = [];
    let number = rows.findIndex((row) => row.code === hand.first.machine);
    for (number += direction; number >= 0 && number < rows.length; number += direction) {
      const why = hand.unable(rows[number].code);
      if (!why) { this.to(rows[number].code, Math.max(hand.first.start, this.model.soonest)); return; }
      said.push(this.board.fill("over_none", { machine: this.board.machine(rows[number].code), why }));
    }
    this.board.sayNow(said[0] ?? this.board.overWords());
    if (said[0]) this.board.show(said[0]);
  }

  anywhere(event) {
    if (event.target.closest("input, select, textarea, dialog")) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "z") { event.preventDefault(); (event.shiftKey ? this.board.redo() : this.board.undo()); }
    else if ((event.ctrlKey || event.metaKey) && key === "y") { event.preventDefault(); this.board.redo(); }
    else if (event.ctrlKey || event.metaKey || event.altKey || this.carrying) return;
    else if (key === "escape" && this.view.hand) this.board.putBack();
    else if (key === "escape") this.board.closeDrawer();
    else if (!event.target.closest(".stage")) return;
    else if (key === "+" || key === "=") this.view.zoom(1.4);
    else if (key === "-") this.view.zoom(1 / 1.4);
    else if (key === "0") this.view.whole();
    else if (key === "n") this.board.toNow();
  }
}
