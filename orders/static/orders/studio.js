// The studio's queue and review: moving by j and k, deciding by a and r, colours seen before they are asked for,
// designs shown as they are drawn. Everything it does the server checks; without it the pages work by their buttons.
"use strict";
(() => {
  const at = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const writing = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], weft-canvas");

  // ------------------------------------------------------------------ what has just been refused is read first
  at("[data-focus]")?.focus();

  // ------------------------------------------------------------------ by keys
  const move = (by) => {
    const links = all("[data-moves] a");
    if (!links.length) return;
    const here = links.indexOf(document.activeElement);
    const chosen = links.findIndex((link) => link.getAttribute("aria-current"));
    const from = here >= 0 ? here : chosen;
    const next = links[Math.max(0, Math.min(links.length - 1, from < 0 ? 0 : from + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
    const form = at(".decide form");
    if (form?.closest("details") && "ar".includes(event.key)) form.closest("details").open = true;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "r" && form) at("[name=reasons]", form)?.focus();
    else if (event.key === "a" && form) at("[name=verdict][value=accept]", form)?.focus();
    else return;
    event.preventDefault();
  });

  // ------------------------------------------------------------------ how the cloth is looked at stays from design to design
  const cloth = at("#cloth");
  if (cloth) {
    const looks = ["view", "seam", "product"];
    const kept = JSON.parse(sessionStorage.getItem("weftline:easel") || "{}");
    for (const name of looks) {
      if (!(name in kept)) continue;
      if (kept[name] === null) cloth.removeAttribute(name); else cloth.setAttribute(name, kept[name]);
    }
    new MutationObserver(() => {
      const now = Object.fromEntries(looks.map((name) => [name, cloth.getAttribute(name)]));
      sessionStorage.setItem("weftline:easel", JSON.stringify(now));
    }).observe(cloth, { attributeFilter: looks });
  }

  // ------------------------------------------------------------------ other colours, before they are asked for
  const colours = at("form[data-coloured]");
  if (colours && cloth) {
    const was = cloth.getAttribute("src");
    let waits;
    const show = () => {
      const fields = all("[name=colour]", colours);
      for (const field of fields) at("code", field.parentElement).textContent = field.value;
      const other = fields.some((field) => field.value !== field.dataset.was);
      const codes = fields.map((field) => field.value.slice(1)).join("-");
      cloth.setAttribute("src", other ? `${colours.dataset.coloured}?c=${codes}` : was);
    };
    colours.addEventListener("input", () => { clearTimeout(waits); waits = setTimeout(show, 150); });
    colours.addEventListener("reset", () => setTimeout(show));
  }

  // ------------------------------------------------------------------ while designs are drawn
  const watched = at("[data-watch]");
  if (watched) {
    const later = (ms) => setTimeout(() => location.reload(), ms);
    const typing = () => document.activeElement && writing(document.activeElement);
    const renew = (ms) => { if (typing()) setTimeout(() => renew(ms), 1000); else later(ms); };
    const stream = new EventSource(watched.dataset.watch);
    let shown = all("[data-watch] ul:first-of-type img").length;
    stream.addEventListener("progress", (event) => {
      const { progress, drawn, wanted } = JSON.parse(event.data);
      if (progress) at("[data-progress]", watched).textContent = progress;
      const bar = at("progress", watched);
      if (wanted) { bar.max = wanted; bar.value = drawn; }
    });
    stream.addEventListener("candidate", (event) => {
      const design = JSON.parse(event.data);
      const list = at("ul", watched);
      if (at(`a[href*="design=${design.id}#"]`, list)) return;
      at("li.note", list)?.remove();
      const item = list.appendChild(document.createElement("li"));
      const link = item.appendChild(document.createElement("a"));
      link.className = "thumb";
      link.href = `?design=${design.id}#easel`;
      const picture = link.appendChild(document.createElement("img"));
      picture.alt = "";
      picture.src = `${design.preview}?size=480&repeats=2`;
      const name = link.appendChild(document.createElement("span"));
      name.className = "name";
      name.textContent = `${design.round}.${design.position}`;
      shown += 1;
    });
    stream.addEventListener("end", (event) => {
      stream.close();
      renew(JSON.parse(event.data).over ? 0 : 2000);
    });
    // A stream that broke comes back by itself; one that was refused does not.
    stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) renew(2000); };
  }
})();
