// The planner's board. What it shows and says comes from the server; what it may do the server checks again.
import { Carry } from "./carry.js";
import { Keys } from "./keys.js";
import { Model } from "./model.js";
import { Paint } from "./paint.js";
import { Pointer } from "./pointer.js";
import { Away, Refused, SignedOut, get, post, postForHtml } from "./server.js";
import { Table } from "./table.js";
import { Clock, fill } from "./time.js";
import { AXIS, View } from "./view.js";

const LOOK_EVERY_MS = 20000;
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const find = (id) => document.getElementById(id);

class Board {
  constructor() {
    this.words = read("board-words");
    this.settings = read("board-settings");
    this.model = new Model(this.settings);
    this.model.addEventListener("judging", () => this.verdict());
    this.model.addEventListener("judged", (event) => this.judged(event.detail.verdict));
    this.model.addEventListener("refused", (event) => this.refused(event.detail));
    this.model.addEventListener("trouble", (event) => this.trouble(event.detail.error));
    this.model.addEventListener("foreseen", (event) => this.foreseen(event.detail));
    this.buttons();
    addEventListener("online", () => this.load());
    setInterval(() => { if (!document.hidden && !this.view?.hand && !this.trying) this.look(); }, LOOK_EVERY_MS);
    this.load();
  }

  fill(name, values) { return fill(this.words[name], values); }

  // ---------------------------------------------------------------- reading

  async load() {
    this.trying = true;
    try {
      const data = await get(this.settings.data);
      this.take(data);
    } catch (error) {
      this.trouble(error, { reading: true });
    } finally {
      this.trying = false;
    }
  }

  // Whether anything holds now that did not before; then the draft is judged anew.
  async look() {
    try {
      const data = await get(`${this.settings.data}?base=${this.model.data?.base ?? ""}`);
      if (data.rows) this.take(data);
      else if (this.model.data && data.now !== this.model.data.now) { this.model.data.now = data.now; this.view?.redraw(); }
    } catch (error) {
      this.trouble(error);
    }
  }

  take(data) {
    const first = !this.model.data;
    this.clock ??= new Clock(data.tz, this.settings.language, this.words);
    const before = this.model.draftBase ?? this.model.data?.base;
    this.model.verdict = this.model.steps.length && !first ? this.model.verdict : null;
    this.model.set(data);
    if (first) this.begin();
    this.stand();
    if (this.model.steps.length) this.again(before !== undefined && before !== data.base);
    this.model.draftBase = undefined;
    this.tray();
    this.verdict();
  }

  begin() {
    if (find("stage")) {
      find("loading").hidden = true;
      this.paint = new Paint();
      find("stage").hidden = false;
      this.view = new View(this.model, this.clock, this.words, this.paint);
      this.view.addEventListener("coloured", () => this.legend());
      this.pointer = new Pointer({ board: this, model: this.model, view: this.view, clock: this.clock });
      this.keys = new Keys({ board: this, model: this.model, view: this.view, clock: this.clock });
      this.view.addEventListener("resized", () => this.legend());
      this.view.resize();
      this.toNow();
      this.toPlace();
      this.view.sortColours();
    } else {
      this.table = new Table({ board: this, model: this.model, clock: this.clock });
    }
    find("draft")?.removeAttribute("hidden");
  }

  stand() {
    const { data } = this.model, bare = !data.bars.length && !data.waiting.length;
    for (const id of ["loading", "broken"]) if (find(id)) find(id).hidden = true;
    if (find("empty")) find("empty").hidden = !bare;
    if (this.view) { this.view.arrange(); this.view.redraw(); }
  }

  // A draft that was made on other things: what has changed is said, what can't be any more is taken out.
  async again(stale) {
    const verdict = await this.model.judge();
    if (!verdict) return;
    const lines = stale ? [...verdict.changed] : [];
    if (verdict.refused.length) {
      lines.push(...verdict.refused.map((each) => this.fill("gone", { why: each.sentence })));
      await this.model.weed(verdict.refused);
    }
    if (lines.length) this.stale(lines);
  }

  stale(lines) {
    const box = find("stale");
    box.replaceChildren();
    const title = document.createElement("b");
    title.textContent = this.words.stale;
    const list = document.createElement("ul");
    for (const line of lines) list.append(Object.assign(document.createElement("li"), { textContent: line }));
    box.append(title, list, this.words.rebased);
    box.hidden = false;
  }

  trouble(error, { reading = false } = {}) {
    if (error instanceof SignedOut) {
      const box = find("refused");
      box.textContent = this.words.over_session;
      box.hidden = false;
    } else if (error instanceof Away) {
      find("offline").hidden = false;
      this.verdict(this.words.offline);
    } else if (!(error instanceof Refused) || reading) {
      this.verdict(error.message || this.words.failed);
    } else {
      this.verdict(error.body.message || this.words.failed);
    }
    if (reading && !this.model.data && find("broken")) {
      find("loading").hidden = true;
      find("broken").hidden = false;
      find("broken-words").textContent = error instanceof Away ? this.words.offline : error.body?.message || this.words.failed;
    }
    if (!(error instanceof Away || error instanceof SignedOut || error instanceof Refused)) throw error;
  }

  // ---------------------------------------------------------------- words

  say(words) { find("said").textContent = words; }

  sayNow(words) { find("said-now").textContent = words; }

  show(words) { this.verdict(words); }

  machine(code) { return (this.model.row(code)?.name ?? code).replace(/ \(.*/, ""); }

  time(minute) { return this.clock.say(minute, this.model.data.now); }

  lateWords(job, late = this.model.late(job), { would = false } = {}) {
    if (late > 0) return this.fill(would ? "would_be_late" : "late", { duration: this.clock.duration(late) });
    return late < 0 ? this.fill("early", { duration: this.clock.duration(late) }) : this.words.in_time;
  }

  // A bar in one sentence.
  barWords(bar, { whole = false } = {}) {
    const at = bar.at ?? bar.holds;
    if (!at) return `${bar.job} ${bar.name}`;
    const said = [this.fill("bar", { job: bar.job, name: bar.name, machine: this.machine(at.machine), start: this.time(at.start), end: this.time(at.end) })];
    if (!whole) return said[0];
    const work = this.model.data.works[bar.job];
    if (at.start > at.changeover) said.push(this.fill("changeover", { duration: this.clock.duration(at.start - at.changeover) }));
    said.push(this.lateWords(bar.job, undefined, { would: Boolean(this.model.steps.length) }));
    if (work) said.push(`${work.customer}, ${work.cloth}, ${work.metres}`);
    if (at.pinned) said.push(this.words.pinned);
    if (bar.why) said.push(bar.why.replace(/\.$/, ""));
    const waits = this.model.verdict?.waits?.[bar.id];
    if (waits) said.push(this.fill("waits", { why: waits.replace(/\.$/, "") }));
    return said.join(". ");
  }

  // Where the hand is, and what dropping it there would come to.
  overWords() {
    const { hand } = this.view, seen = this.model.foreseen;
    const said = [this.fill("over", { machine: this.machine(hand.first.machine), start: this.time(hand.first.start) })];
    const wish = seen?.step.wishes[0];
    if (wish && wish.operation === hand.lead.id && wish.machine === hand.first.machine && wish.start === Math.round(hand.first.start)) {
      if (seen.refused) said.push(seen.refused);
      else {
        const at = hand.lead.at;
        if (at && at.start > at.changeover) said.push(this.fill("changeover", { duration: this.clock.duration(at.start - at.changeover) }));
        if (at && at.start > wish.start) said[0] = this.fill("over", { machine: this.machine(at.machine), start: this.time(at.start) });
        said.push(this.lateWords(hand.lead.job, undefined, { would: true }));
        if (seen.waits[hand.lead.id]) said.push(this.fill("waits", { why: seen.waits[hand.lead.id].replace(/\.$/, "") }));
      }
    }
    return said.join(". ");
  }

  groundWords(at) {
    if (!at.inside || !at.band?.row) return "";
    const inside = (list) => list.find(([from, until]) => from <= at.minute && at.minute < until);
    const down = inside(at.band.row.down), taken = inside(at.band.row.taken);
    const said = [`${this.machine(at.band.row.code)}, ${this.time(Math.round(at.minute / 5) * 5)}`];
    if (down) said.push(this.fill("down", { why: down[2] }));
    else if (taken) said.push(this.fill("taken", { what: taken[2] }));
    else if (!inside(at.band.row.open)) said.push(this.words.closed);
    const { frozen, slushy, now } = this.model.data;
    if (at.minute > now && frozen && at.minute < frozen) said.push(this.fill("frozen", { time: this.time(frozen) }));
    else if (at.minute > now && slushy && at.minute < slushy) said.push(this.fill("slushy", { time: this.time(slushy) }));
    return said.join(", ");
  }

  tip(words) { const tip = find("tip"); if (tip) { tip.hidden = !words; tip.textContent = words; this.tipWords = null; } }

  tipAt(event, words, bad) {
    const tip = find("tip");
    if (event.pointerType === "touch" && !this.view.hand) return;
    // Measured only when it says something else: to measure is to lay the page out at once.
    if (tip.hidden || this.tipWords !== words) {
      this.tipWords = tip.textContent = words;
      tip.hidden = !words;
      tip.classList.toggle("bad", bad);
      this.tipSize = { wide: tip.offsetWidth, tall: tip.offsetHeight };
    }
    const { wide, tall } = this.tipSize;
    const x = Math.max(4, Math.min(innerWidth - wide - 8, event.clientX + 16));
    const y = event.clientY + 22 + tall > innerHeight ? event.clientY - tall - 14 : event.clientY + 22;
    tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  // ---------------------------------------------------------------- the verdict

  verdict(words) {
    const box = find("verdict");
    find("board").dataset.ready = this.model.data && !this.model.busy ? "yes" : "no";
    if (!box) { if (words) this.say(words); return; }
    const { model } = this, count = model.steps.length;
    box.replaceChildren();
    const add = (text, kind = "") => box.append(Object.assign(document.createElement("span"), { textContent: text, className: kind }));
    if (words) add(words, "words");
    else if (!count) add(this.view ? this.words.draft_none : this.words.draft_none_table, "quietly");
    else {
      add(count === 1 ? this.words.draft_one : this.fill("draft", { count }));
      const seen = model.verdict;
      if (model.busy) add(this.words.judging, "quietly");
      else if (seen) {
        for (const fault of seen.faults.slice(0, 3)) add(fault, "bad");
        add(seen.difference.sentence, seen.difference.newly_late.length ? "bad" : "");
        const { cost } = seen.difference;
        if (cost) add(this.fill("cost", { cost: `${cost > 0 ? "+" : "−"}${Math.abs(Math.round(cost))}` }), cost > 0 ? "worse" : "better");
      }
    }
    box.dataset.state = model.busy ? "judging" : model.verdict ? "judged" : "";
    find("undo").disabled = !model.past.length;
    find("redo").disabled = !model.future.length;
    find("discard").disabled = !count;
    find("keep").disabled = !count || !model.verdict || Boolean(model.verdict.faults.length);
  }

  judged(verdict) {
    this.verdict();
    this.table?.refresh();
    if (verdict && verdict.base !== this.model.data.base) this.look();
    if (verdict) this.say(verdict.difference.sentence);
    if (this.after) { const after = this.after; this.after = null; after(verdict); }
    this.tray();
  }

  refused({ sentence }) {
    this.after = null;
    const words = this.fill("refused", { why: sentence });
    this.sayNow(words);
    setTimeout(() => this.verdict(words), 0);
    this.refusal = words;
    this.model.addEventListener("judged", () => setTimeout(() => this.verdict(words), 0), { once: true });
  }

  foreseen() {
    if (!this.view?.hand) return;
    this.view.hand.refused = this.model.foreseen.refused;
    this.view.redrawUpper();
    const words = this.overWords();
    this.tip(find("tip").hidden ? "" : words);
    if (this.keys.carrying) this.sayNow(words);
  }

  // ---------------------------------------------------------------- the hand

  // Pick up a bar, with whatever is chosen beside it. False where it can't be moved.
  pick(bar) {
    if (!this.model.movable(bar)) {
      const why = bar.why || (bar.at?.pinned ? this.words.pinned : "");
      const words = this.fill("picked_none", { bar: this.barWords(bar), why });
      this.sayNow(words);
      this.verdict(words);
      this.choose(bar);
      return false;
    }
    if (!this.model.selected.has(bar.id)) this.choose(bar, { quietly: true });
    const bars = [...this.model.selected].map((id) => this.model.bars.get(id)).filter((each) => each && each.at && this.model.movable(each));
    this.view.hand = new Carry({ model: this.model, view: this.view, words: this.words, lead: bar, bars: bar.at ? bars : [bar] });
    this.view.focused = bar.id;
    this.view.redraw();
    return true;
  }

  async drop() {
    const { hand } = this.view;
    if (!hand) return;
    this.view.hand = null;
    this.model.settle();
    if (!hand.moved) { this.model.lay(); this.keys.place(); return; }
    this.model.foreseen = null;
    this.after = () => {
      const bar = this.model.bars.get(hand.lead.id);
      const words = this.fill("dropped", { bar: this.barWords(bar, { whole: true }) });
      this.sayNow(words);
      this.keys.place();
    };
    await this.model.do(hand.step());
  }

  putBack() {
    if (!this.view.hand) return;
    this.view.hand = null;
    this.keys.byKeys = false;
    this.model.settle();
    this.model.lay();
    this.sayNow(this.words.cancelled);
    this.keys.place();
  }

  async undo() { this.sayNow((await this.model.undo()) ? this.words.undone : this.words.nothing_undo); }

  async redo() { this.sayNow((await this.model.redo()) ? this.words.redone : this.words.nothing_redo); }

  async togglePin(bar) {
    const on = !bar.at.pinned;
    if (bar.kind) { this.sayNow(bar.why); this.verdict(bar.why); return; }
    const chosen = this.model.selected.has(bar.id) ? [...this.model.selected] : [bar.id];
    const operations = chosen.filter((id) => { const each = this.model.bars.get(id); return each?.at && !each.kind && each.at.pinned !== on; });
    await this.model.do({ kind: on ? "pin" : "unpin", operations });
    this.sayNow(this.fill(on ? "pin_done" : "unpin_done", { bar: this.barWords(bar) }));
  }

  // ---------------------------------------------------------------- choosing

  choose(bar, { more = false, on = false, quietly = false } = {}) {
    const { selected } = this.model;
    if (!more) selected.clear();
    if (bar) {
      if (more && !on && selected.has(bar.id)) selected.delete(bar.id);
      else selected.add(bar.id);
      this.view.focused = bar.id;
    }
    this.chosen(quietly);
  }

  chooseAll(bars, more = false) {
    if (!more) this.model.selected.clear();
    for (const bar of bars) this.model.selected.add(bar.id);
    this.chosen();
    if (bars.length) this.say(this.fill("selected", { count: this.model.selected.size }));
  }

  chosen(quietly = false) {
    const jobs = new Set([...this.model.selected].map((id) => this.model.bars.get(id)?.job));
    this.view.chosenJobs = jobs.size <= 6 ? jobs : new Set();
    this.view.redraw();
    if (!quietly && !find("drawer").hidden && this.model.selected.size === 1) this.explain(this.model.bars.get([...this.model.selected][0]), { focus: false });
  }

  // ---------------------------------------------------------------- the drawer

  async explain(bar, { focus = true } = {}) {
    if (!bar?.at) return;
    if (!this.model.selected.has(bar.id)) this.choose(bar, { quietly: true });
    const drawer = find("drawer"), body = find("drawer-body");
    drawer.hidden = false;
    if (getComputedStyle(drawer).position === "absolute") this.view.reveal(bar, drawer.offsetWidth);
    body.setAttribute("aria-busy", "true");
    this.explained = bar.id;
    try {
      const html = await postForHtml(this.settings.why, { steps: this.settings.may ? this.model.steps : [], operation: bar.id });
      if (this.explained !== bar.id) return;
      body.innerHTML = html;
      const rush = body.querySelector("[data-rush]"), form = find("rush-form");
      if (rush && form) {
        const made = form.content.cloneNode(true);
        made.querySelector("[name=job]").value = rush.dataset.rush;
        this.toDialog(made.querySelector("form"));
        rush.append(made);
      }
      htmx.process(body);
      if (focus) drawer.focus();
    } catch (error) {
      this.trouble(error);
    } finally {
      body.removeAttribute("aria-busy");
    }
  }

  closeDrawer() {
    if (find("drawer").hidden) return;
    const inside = find("drawer").contains(document.activeElement);
    find("drawer").hidden = true;
    if (inside && this.keys) { this.view.focused = this.explained; this.keys.place(); find("focus").focus(); }
  }

  // ---------------------------------------------------------------- dialogs

  openDialog() {
    const dialog = find("dialog");
    if (!dialog.open) { this.backTo = document.activeElement; dialog.showModal(); }
  }

  closeDialog() { find("dialog").close(); }

  toDialog(form) {
    form.setAttribute("hx-post", form.getAttribute("action"));
    form.setAttribute("hx-target", "#dialog-body");
    htmx.process(form);
  }

  down(code) {
    const form = find("down-form").content.cloneNode(true), { now } = this.model.data;
    form.querySelector("h2").textContent = this.model.row(code).name;
    form.querySelector("[name=machine]").value = code;
    form.querySelector("[name=since]").value = this.clock.field(now);
    form.querySelector("[name=until]").value = this.clock.field(now + 240);
    find("dialog-body").replaceChildren(form);
    this.toDialog(find("dialog-body").querySelector("form"));
    this.openDialog();
  }

  async keep() {
    find("keep").setAttribute("aria-busy", "true");
    try {
      const { url } = await post(this.settings.keep, { steps: this.model.steps });
      await htmx.ajax("GET", url, "#dialog-body");
      this.openDialog();
    } catch (error) {
      if (error instanceof Refused && error.body.fields?.refused?.length) {
        this.stale(error.body.fields.refused.map((each) => each.sentence));
        await this.look();
      }
      this.trouble(error);
    } finally {
      find("keep").removeAttribute("aria-busy");
    }
  }

  buttons() {
    const on = (id, act) => find(id)?.addEventListener("click", act);
    on("earlier", () => this.view.pan(this.view.width * 0.5));
    on("later", () => this.view.pan(-this.view.width * 0.5));
    on("in", () => this.view.zoom(1.6));
    on("out", () => this.view.zoom(1 / 1.6));
    on("whole", () => this.view.whole());
    on("today", () => this.toNow());
    on("undo", () => this.undo());
    on("redo", () => this.redo());
    on("discard", async () => { await this.model.discard(); this.sayNow(this.words.discarded); find("undo").focus(); });
    on("keep", () => this.keep());
    on("again", () => { find("broken").hidden = true; find("loading").hidden = false; this.load(); });
    on("drawer-close", () => this.closeDrawer());
    on("dialog-close", () => this.closeDialog());
    on("keys", () => { const help = find("help"); help.hidden = !help.hidden; find("keys").setAttribute("aria-expanded", String(!help.hidden)); });
    find("dialog").addEventListener("close", () => { find("dialog-body").replaceChildren(); this.backTo?.focus?.(); });
    find("labels")?.addEventListener("click", (event) => { const code = event.target.closest("[data-machine]")?.dataset.machine; if (code) this.down(code); });
    find("drawer-body").addEventListener("click", (event) => { const id = event.target.closest("[data-pins]")?.dataset.pins; if (id) this.togglePin(this.model.bars.get(id)); });
    const colour = find("colour");
    if (colour) {
      for (const option of colour.options) option.textContent = this.words[option.value];
      colour.value = localStorage.getItem("weftline:board:colour") ?? "customer";
      if (!colour.value) colour.value = "customer";
      colour.addEventListener("change", () => { this.view.colour = colour.value; localStorage.setItem("weftline:board:colour", colour.value); this.view.sortColours(); this.view.redraw(); });
    }
    document.body.addEventListener("htmx:beforeSwap", (event) => { if (event.detail.target.id === "dialog-body") this.openDialog(); });
    document.body.addEventListener("click", (event) => { if (event.target.closest("[data-closes]")) { event.preventDefault(); this.closeDialog(); } });
    document.body.addEventListener("weft-published", (event) => this.published(event.detail));
    document.body.addEventListener("weft-outdated", () => this.look());
  }

  async published({ plan, hand }) {
    if (hand) this.model.forget();
    find("stale").hidden = true;
    await this.load();
    const words = this.fill("published", { plan });
    this.say(words);
    this.verdict(words);
  }

  toNow() {
    const { view, model } = this, { now } = model.data;
    view.colour = find("colour").value;
    const days = view.width < 500 ? 0.7 : view.width < 1000 ? 1.2 : 2;
    const soon = Math.min(...[...model.bars.values()].filter((bar) => bar.at).map((bar) => bar.at.start));
    // Over a weekend the next bars are in sight, too.
    const until = Number.isFinite(soon) && soon < now + 4 * 1440 ? Math.max(now + days * 1440, soon + 0.5 * days * 1440) : now + days * 1440;
    view.show(now - 60, until);
  }

  // An address can name a machine and a day, as the dashboard's do: there the board opens. What names none is passed over.
  toPlace() {
    const asked = new URLSearchParams(location.search), { view, model } = this;
    const machine = asked.get("machine"), day = this.clock.fromField(`${asked.get("day")}T00:00`);
    if (day !== null) view.show(day, day + 1440);
    const band = view.band(machine);
    if (!band) return;
    view.stage.scrollTop = band.top - AXIS - 24;
    const lane = model.lanes.get(machine);
    view.focused = (lane.find((bar) => bar.at.end > (day ?? model.data.now)) ?? lane.at(-1))?.id ?? null;
  }

  // ---------------------------------------------------------------- legend and tray

  legend() {
    const list = find("legend"), { view } = this;
    list.replaceChildren();
    const add = (name, colour) => {
      const item = document.createElement("li"), mark = document.createElement("i");
      mark.style.background = colour;
      item.append(mark, name);
      list.append(item);
    };
    if (view.colour === "lateness") for (const kind of ["late", "day", "time"]) add(this.words[`legend_${kind}`], this.paint.tint(kind));
    else {
      const most = view.width < 700 ? 3 : 7;
      for (const [name, { fill: colour }] of [...view.categories].slice(0, most)) add(name || "–", colour);
      if (view.categories.size > most) add(this.fill("more", { count: view.categories.size - most }), "transparent");
    }
  }

  tray() {
    const { waiting } = this.model.data, list = find("tray-list");
    const shown = waiting.filter((each) => !each.operation || !this.model.bars.get(each.operation)?.at);
    find("tray").hidden = !shown.length;
    find("tray-count").textContent = shown.length || "";
    if (this.view === undefined) { find("tray").hidden = true; return; }
    list.replaceChildren(...shown.map((each) => {
      const item = find("tray-item").content.cloneNode(true), button = item.querySelector("button");
      button.querySelector("b").textContent = each.job;
      button.querySelector(".who").textContent = each.customer;
      button.querySelector(".why").textContent = each.sentence;
      button.dataset.kind = each.kind;
      const bar = each.operation && this.model.bars.get(each.operation);
      if (bar && this.settings.may) button.addEventListener("pointerdown", (event) => this.pointer.fromTray(event, bar));
      else if (each.kind === "blocked" && this.settings.may) {
        // What has no operations yet has nothing that could be put anywhere: whoever drags it is told so.
        button.draggable = true;
        button.addEventListener("dragstart", (event) => {
          event.preventDefault();
          const words = this.fill("no_place_yet", { job: each.job });
          this.sayNow(words);
          this.verdict(words);
        });
      }
      button.addEventListener("click", (event) => { if (!bar || event.detail === 0) this.trayPressed(each, bar); });
      return item;
    }));
  }

  async trayPressed(each, bar) {
    if (bar && this.settings.may) { this.enterTray(bar); return; }
    if (each.kind !== "blocked" || !this.settings.may) { location.assign(each.url); return; }
    try {
      await post(this.settings.place, { line: each.job });
      const words = this.fill("asked", { job: each.job });
      this.sayNow(words);
      this.verdict(words);
      await this.load();
    } catch (error) {
      this.trouble(error);
    }
  }

  // What waits is carried by keyboard from the first machine that can do it.
  enterTray(bar) {
    this.keys.byKeys = true;
    if (!this.pick(bar)) { this.keys.byKeys = false; return; }
    const { hand } = this.view;
    this.keys.place();
    find("focus").hidden = false;
    find("focus").focus();
    this.keys.to(hand.first.machine, this.model.soonest);
    this.sayNow(this.fill("placing", { job: bar.job }));
  }
}

const narrow = matchMedia("(max-width: 640px)").matches && !new URLSearchParams(location.search).has("view");
if (narrow) {
  const asked = new URLSearchParams(location.search);
  asked.set("view", "table");
  location.replace(`${location.pathname}?${asked}`);
}
else {
  const board = new Board();
  // For measuring and for tests: counters and places, nothing that could change anything.
  window.weftBoard = {
    frames: () => { const { frames, ms, worst } = board.view.counts; return { frames, ms, worst, perSecond: ms ? (frames * 1000) / ms : 0 }; },
    where: (operation) => board.view.where(operation),
    show: (operation) => board.view.reveal(board.model.bars.get(operation)),
    x: (minute) => board.view.upper.getBoundingClientRect().left + board.view.x(minute),
    y: (machine) => { const band = board.view.band(machine); return board.view.upper.getBoundingClientRect().top + band.top + band.height / 2 - board.view.stage.scrollTop; },
    at: (operation) => { const bar = board.model.bars.get(operation); return bar && bar.at && { ...bar.at }; },
    ready: () => Boolean(board.model.data) && !board.model.busy && !board.model.foreseeing,
    bars: () => board.model.bars.size,
    focused: () => board.view.focused,
  };
}
