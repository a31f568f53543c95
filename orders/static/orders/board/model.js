// What stands on the board, and the planner's draft. The server judges every draft; nothing is decided here.
import { post } from "./server.js";

const KEPT = 200;  // undone steps that are remembered

export class Model extends EventTarget {
  constructor(settings) {
    super();
    this.settings = settings;
    this.data = null;
    this.bars = new Map();
    this.lanes = new Map();
    this.steps = [];
    this.past = [];
    this.future = [];
    this.verdict = null;
    this.preview = null;
    this.selected = new Set();
    this.reasons = new Map();
    this.asked = 0;
    this.busy = false;
    this.waits = null;
    this.restore();
  }

  tell(name, detail = {}) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  // ---------------------------------------------------------------- what holds

  set(data) {
    this.data = data;
    this.reasons.clear();
    this.bars = new Map();
    for (const [id, job, name, machine, start, end, changeover, kind, why, pinned, machines] of data.bars) {
      this.bars.set(id, { id, job, name, kind, why, machines, holds: { machine, start, end, changeover, pinned }, at: null });
    }
    for (const each of data.waiting) {
      if (!each.operation) continue;
      const name = each.sentence.split(" should ")[0].split(":")[0];
      this.bars.set(each.operation, { id: each.operation, job: each.job, name, kind: "", why: "", machines: each.machines, holds: null, at: null });
    }
    for (const id of this.selected) if (!this.bars.has(id)) this.selected.delete(id);
    this.jobs = Map.groupBy ? Map.groupBy(this.bars.values(), (bar) => bar.job) : this.byJob();
    this.lanes = new Map(data.rows.map((row) => [row.code, []]));
    this.shown = null;
    for (const bar of this.bars.values()) {
      this.stand(bar, null, null);
      if (bar.at) this.lanes.get(bar.at.machine)?.push(bar);
    }
    for (const lane of this.lanes.values()) lane.sort((a, b) => a.at.start - b.at.start);
    this.tell("set");
    this.lay();
  }

  byJob() {
    const found = new Map();
    for (const bar of this.bars.values()) found.set(bar.job, [...(found.get(bar.job) ?? []), bar]);
    return found;
  }

  // Put every bar where the newest verdict, or the preview of what is being carried, has it. Only what differs from
  // what was shown before is touched; the rows in which anything does are told.
  lay() {
    if (!this.data) return;
    const before = this.shown, shown = this.preview || this.verdict;
    const moved = new Map((shown?.moved ?? []).map((each) => [each[0], each]));
    const touched = new Set([...(before?.moved ?? []).map(([id]) => id), ...moved.keys(), ...Object.keys(before?.pinned ?? {}), ...Object.keys(shown?.pinned ?? {})]);
    const rows = new Set(), sorted = new Set();
    for (const id of touched) {
      const bar = this.bars.get(id);
      if (!bar) continue;
      const was = bar.at, wasMoved = bar.moved;
      this.stand(bar, moved.get(id), shown);
      const now = bar.at;
      if (was && now && was.machine === now.machine && was.start === now.start && was.end === now.end && was.changeover === now.changeover && was.pinned === now.pinned && wasMoved === bar.moved) continue;
      if (was) rows.add(was.machine);
      if (now) rows.add(now.machine);
      if (was?.machine !== now?.machine) {
        const lane = was && this.lanes.get(was.machine);
        if (lane) lane.splice(lane.indexOf(bar), 1);
        if (now) this.lanes.get(now.machine)?.push(bar);
      }
      if (now) sorted.add(now.machine);
    }
    for (const code of sorted) this.lanes.get(code)?.sort((a, b) => a.at.start - b.at.start);
    for (const job of new Set([...Object.keys(before?.late ?? {}), ...Object.keys(shown?.late ?? {})])) {
      if (before?.late?.[job] === shown?.late?.[job]) continue;
      for (const bar of this.jobs.get(job) ?? []) if (bar.at) rows.add(bar.at.machine);
    }
    this.shown = shown;
    this.tell("laid", { rows });
  }

  stand(bar, moved, shown) {
    const at = moved ? { machine: moved[1], start: moved[2], end: moved[3], changeover: moved[4] } : bar.holds;
    bar.moved = Boolean(moved);
    bar.at = at && { ...at, pinned: shown?.pinned?.[bar.id] ?? bar.holds?.pinned ?? false };
  }

  late(job) {
    const shown = this.preview || this.verdict;
    return shown?.late?.[job] ?? this.data.works[job]?.late ?? 0;
  }

  row(code) { return this.data.rows.find((row) => row.code === code); }

  ofJob(job) { return (this.jobs.get(job) ?? []).filter((bar) => bar.at).sort((a, b) => a.at.start - b.at.start); }

  movable(bar) { return this.settings.may && !bar.kind && !(bar.at?.pinned); }

  // ---------------------------------------------------------------- the draft

  get soonest() { return Math.max(this.data.now, this.data.frozen ?? 0); }

  wish(bar, machine, start) {
    const was = bar.holds ? { machine: bar.holds.machine, start: bar.holds.start } : null;
    return { operation: bar.id, machine, start: Math.round(start), was };
  }

  async do(step) {
    this.past.push(this.steps);
    this.steps = [...this.steps, step];
    this.future = [];
    this.save();
    return this.judge({ last: this.steps.length - 1 });
  }

  async undo() {
    if (!this.past.length) return false;
    this.future.push(this.steps);
    this.steps = this.past.pop();
    this.save();
    await this.judge();
    return true;
  }

  async redo() {
    if (!this.future.length) return false;
    this.past.push(this.steps);
    this.steps = this.future.pop();
    this.save();
    await this.judge();
    return true;
  }

  async discard() {
    this.past.push(this.steps);
    this.steps = [];
    this.save();
    await this.judge();
  }

  // A draft that was published holds now: there is nothing left of it to undo.
  forget() {
    this.steps = []; this.past = []; this.future = []; this.verdict = null;
    this.save();
    this.lay();
    this.tell("judged");
  }

  save() {
    const kept = { steps: this.steps, past: this.past.slice(-KEPT), future: this.future.slice(-KEPT), base: this.data?.base ?? "" };
    try {
      if (kept.steps.length || kept.past.length || kept.future.length) localStorage.setItem(this.settings.draft, JSON.stringify(kept));
      else localStorage.removeItem(this.settings.draft);
    } catch { /* the device is full: the draft lives as long as the page */ }
  }

  restore() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.settings.draft) ?? "null");
      if (kept) Object.assign(this, { steps: kept.steps, past: kept.past, future: kept.future, draftBase: kept.base });
    } catch { /* nothing that can be read */ }
  }

  // Ask what the draft comes to. `last`: a step that was just done, and is taken back where it can't be.
  async judge({ last = null } = {}) {
    this.preview = null;
    const number = ++this.asked;
    if (!this.steps.length) {
      this.busy = false;
      this.verdict = null;
      this.lay();
      this.tell("judged");
      return null;
    }
    this.busy = true;
    this.tell("judging");
    try {
      const verdict = await post(this.settings.judge, { steps: this.steps });
      if (number !== this.asked) return verdict;
      this.busy = false;
      const refused = verdict.refused.find((each) => each.step === last);
      if (refused) {
        this.steps = this.past.pop();
        this.save();
        this.tell("refused", { sentence: refused.sentence, operation: refused.operation });
        await this.judge();
        return verdict;
      }
      this.verdict = verdict;
      this.lay();
      this.tell("judged", { verdict });
      return verdict;
    } catch (error) {
      if (number !== this.asked) return null;
      this.busy = false;
      this.tell("trouble", { error });
      return null;
    }
  }

  // Drop what the server no longer takes; the rest of the draft stays.
  async weed(refused) {
    const gone = new Set(refused.map((each) => each.step));
    this.past.push(this.steps);
    this.steps = this.steps.filter((_, number) => !gone.has(number));
    this.save();
    return this.judge();
  }

  // ---------------------------------------------------------------- what is being carried

  // Ask what it would come to, seldom enough; the newest question wins.
  foresee(step) {
    this.waits = step;
    if (!this.foreseeing) this.foreseeing = this.foreseeAll().finally(() => { this.foreseeing = null; });
  }

  async foreseeAll() {
    while (this.waits) {
      const step = this.waits;
      this.waits = null;
      const began = performance.now();
      try {
        const seen = await post(this.settings.judge, { steps: [...this.steps, step], foresee: true });
        if (this.carrying) {
          const refused = seen.refused.find((each) => each.step === this.steps.length);
          this.preview = refused ? null : seen;
          this.foreseen = { step, refused: refused?.sentence ?? "", waits: seen.waits, late: seen.late };
          this.lay();
          this.tell("foreseen", { step, seen, refused });
        }
      } catch { /* the drop is judged, and says what is wrong */ }
      await new Promise((done) => setTimeout(done, Math.max(60, 180 - (performance.now() - began))));
    }
  }

  settle() {
    this.carrying = false;
    this.waits = null;
    this.preview = null;
  }
}
