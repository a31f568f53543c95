// What is in the hand: bars that were picked up, by pointer or by keyboard, and where they would be dropped.
import { post } from "./server.js";

export class Carry {
  constructor({ model, view, words, lead, bars }) {
    Object.assign(this, { model, view, words, lead });
    this.items = bars.map((bar) => {
      const machine = bar.at?.machine ?? Object.keys(bar.machines)[0];
      return { bar, at: bar.at && { ...bar.at }, machine, start: bar.at?.start ?? model.soonest };
    });
    this.first = this.items.find((item) => item.bar === lead);
    this.together = this.items.every((item) => item.machine === this.first.machine);
    this.from = { machine: this.first.machine, start: this.first.start };
    this.ids = new Set(this.items.map((item) => item.bar.id));
    this.known = model.reasons.get(lead.id) ?? null;
    this.refused = "";
    model.carrying = true;
    this.learn();
  }

  // The server knows why other machines can't do it.
  async learn() {
    if (this.known) return;
    try {
      const { unable } = await post(this.model.settings.able, { operation: this.lead.id });
      this.model.reasons.set(this.lead.id, unable);
      this.known = unable;
      this.view.redraw();
      this.model.tell("learnt");
    } catch { /* the drop is judged all the same */ }
  }

  unable(code) {
    const can = this.items.every((item) => code in item.bar.machines || (!this.together && item !== this.first));
    if (this.known?.[code]) return this.known[code];
    return can && code in this.lead.machines ? "" : this.words.unable;
  }

  minutes(item) {
    return item.at && item.at.machine === item.machine ? item.at.end - item.at.start : item.bar.machines[item.machine] ?? 30;
  }

  places() { return this.items.map((item) => ({ ...item, minutes: this.minutes(item) })); }

  to(machine, start) {
    const by = start - this.first.start, changes = machine !== this.first.machine;
    for (const item of this.items) {
      item.start += by;
      if (changes && (this.together || item === this.first)) item.machine = machine;
    }
    this.view.redrawUpper();
    this.model.foresee(this.step());
  }

  get moved() { return this.first.machine !== this.from.machine || this.first.start !== this.from.start || !this.lead.at; }

  step() {
    return { kind: "move", wishes: this.items.map(({ bar, machine, start }) => this.model.wish(bar, machine, start)) };
  }
}
