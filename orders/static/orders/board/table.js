// The table with a script: what is moved there goes into the same draft as on the board.

export class Table {
  constructor({ board, model, clock }) {
    Object.assign(this, { board, model, clock });
    this.rows = [...document.querySelectorAll("tr[data-operation]")];
    for (const row of this.rows) row.querySelector("form.move-to")?.addEventListener("submit", (event) => this.move(event, row));
    document.addEventListener("keydown", (event) => {
      if (event.target.closest("input, select, dialog") || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
      event.preventDefault();
      if (event.shiftKey) board.redo(); else board.undo();
    });
    this.refresh();
  }

  async move(event, row) {
    const bar = this.model.bars.get(row.dataset.operation), form = event.target;
    if (!bar) return;
    event.preventDefault();
    delete form.dataset.sent;
    const start = this.clock.fromField(form.elements.start.value);
    if (start === null) return;
    await this.model.do({ kind: "move", wishes: [this.model.wish(bar, form.elements.machine.value, start)] });
    form.querySelector("button").removeAttribute("aria-busy");
    form.closest("details").open = false;
    form.closest("details").querySelector("summary").focus();
    this.board.sayNow(this.board.barWords(bar, { whole: true }));
  }

  refresh() {
    for (const row of this.rows) {
      const bar = this.model.bars.get(row.dataset.operation);
      if (!bar?.at) continue;
      const [machine, start, end, , , stands] = row.cells;
      row.dataset.late ??= this.model.data.works[bar.job].late;
      const changes = row.dataset.moved === "yes" || bar.moved || row.dataset.late !== String(this.model.late(bar.job));
      if (!changes) continue;
      row.dataset.late = this.model.late(bar.job);
      row.dataset.moved = bar.moved ? "yes" : "no";
      row.classList.toggle("moved", bar.moved);
      machine.textContent = this.board.machine(bar.at.machine);
      start.textContent = this.board.time(bar.at.start);
      end.textContent = this.board.time(bar.at.end);
      stands.textContent = [this.board.lateWords(bar.job), bar.at.pinned ? this.board.words.pinned : "", bar.moved ? this.board.words.row_moved : ""].filter(Boolean).join(" · ");
    }
  }
}
