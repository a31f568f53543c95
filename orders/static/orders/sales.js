// The order book and the form of a new order. The server knows everything that is known here, and checks it again.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, values = {}, ...inside) => {
    const made = Object.assign(document.createElement(tag), values);
    made.append(...inside);
    return made;
  };

  // ------------------------------------------------------------------ the order book: / begins a search
  const search = $("#q");
  if (search) {
    addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, textarea, select, [contenteditable]")) return;
      event.preventDefault();
      search.focus();
      search.select();
    });
    // Gone back to, the book is asked for anew: lines have moved on meanwhile.
    htmx.config.refreshOnHistoryMiss = true;
    // A chip is drawn anew with the list: who was on it stays on it.
    let held = "";
    document.addEventListener("htmx:beforeSwap", () => { held = document.activeElement?.id || ""; });
    document.addEventListener("htmx:afterSettle", () => { if (held && !document.activeElement?.id) document.getElementById(held)?.focus(); });
  }

  const form = $("#order");
  if (!form) return;
  const field = (name) => form.elements[name];
  const told = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));
  const canvas = $("#canvas");

  // ------------------------------------------------------------------ once: a form that was taken, gone back to, is a new one
  const number = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  addEventListener("pageshow", (event) => {
    const [how] = performance.getEntriesByType("navigation");
    if (event.persisted || how?.type === "back_forward") field("once").value = number();
  });

  // ------------------------------------------------------------------ true scale: what the canvas shows
  const MM = { mm: 1, cm: 10, in: 25.4 };
  const mm = (name) => Number.parseFloat(field(name).value.replace(",", ".")) * MM[field("size_unit").value];
  const drawCanvas = () => {
    if (!canvas) return;
    const set = (name, value) => { if (canvas.getAttribute(name) !== String(value)) canvas.setAttribute(name, value); };
    const [width, height] = [mm("repeat_width"), mm("repeat_height")];
    if (width > 0) set("repeat-width-mm", width);
    if (height > 0) set("repeat-height-mm", height);
    const layout = $("[name=layout]:checked", form);
    if (layout) set("layout", layout.value);
    const { clothMm, white } = $("#cloth-said .cloth")?.dataset || {};
    if (clothMm) set("cloth-width-mm", clothMm);
    if (white) set("white", white); else canvas.removeAttribute("white");
  };
  const drawProduct = () => {
    const said = field("end_use").value.toLowerCase();
    const known = $$("#end-uses option").find((each) => said.includes(each.value.toLowerCase()) || said.includes(each.dataset.product));
    if (known && canvas) canvas.setAttribute("product", known.dataset.product);
  };
  document.addEventListener("htmx:afterSwap", (event) => { if (event.target.id === "cloth-said") drawCanvas(); });
  form.addEventListener("click", (event) => {
    const width = event.target.closest("[data-width-mm]")?.dataset.widthMm;
    if (!width) return;
    const unit = MM[field("size_unit").value];
    field("repeat_width").value = String(Math.floor(width / unit * 1000) / 1000);
    field("repeat_width").focus();
    told(field("repeat_width"));
  });

  // ------------------------------------------------------------------ what is asked only of some
  const fit = () => {
    $("#panels").hidden = field("quantity_unit").value !== "panels";
    $("#sample").hidden = !field("strike_off").checked;
    const same = field("same_design");
    if (same) $("#design").disabled = same.checked;
  };

  // ------------------------------------------------------------------ the palette: one field of text, shown as colours
  const palette = $("#palette");
  const words = palette.dataset;
  const colours = $("#colours");
  const MOST = 8;
  const parts = (text) => (text.match(/#[^\s,#]*|[^,#]+/g) || []).map((part) => part.trim().replace(/\s+/g, " ")).filter(Boolean);
  const isList = (text) => /[#,]/.test(text);
  const read = new Map(); // a colour as it was typed → its code, as the server reads it
  const named = new Map($$("[data-palette]", palette).map((each) => [each.dataset.palette, each.dataset.codes.split(" ")]));
  const listed = () => {
    const text = field("palette").value.trim();
    if (!text) return [];
    return isList(text) ? parts(text) : named.get(text.toLowerCase()) || $$("#colours-read li").map((each) => each.dataset.typed);
  };
  const code = (colour) => (/^#[0-9a-f]{6}$/i.test(colour) ? colour.toLowerCase() : read.get(colour) || "");
  const write = (list, focus) => {
    field("palette").value = list.length === 1 ? `${list[0]},` : list.join(", ");
    told(field("palette"));
    if (focus) $(focus)?.focus();
  };
  const chip = (colour, index, all) => {
    const called = `${index ? `${words.colour} ${index + 1}` : words.ground} ${colour}`;
    const picker = make("input", { type: "color", value: code(colour) || "#888888" });
    picker.setAttribute("aria-label", called);
    picker.addEventListener("change", () => write(all.with(index, picker.value), `#colours li:nth-child(${index + 1}) input`));
    picker.addEventListener("input", (event) => event.stopPropagation());
    const button = (label, sign, does, off) => {
      const made = make("button", { type: "button", className: "quiet small", textContent: sign, disabled: off });
      made.setAttribute("aria-label", `${label}: ${called}`);
      made.title = label;
      made.addEventListener("click", does);
      return made;
    };
    const moved = (to) => () => {
      const list = all.toSpliced(index, 1).toSpliced(to, 0, colour);
      write(list, `#colours li:nth-child(${to + 1}) input`);
    };
    const left = () => write(all.toSpliced(index, 1), all.length > 1 ? `#colours li:nth-child(${Math.min(index + 1, all.length - 1)}) input` : "#f-palette");
    return make("li", {}, picker, make("small", { textContent: index ? colour : words.ground }), make("span", {},
      button(words.moveleft, "‹", moved(index - 1), index === 0),
      button(words.moveright, "›", moved(index + 1), index === all.length - 1),
      button(words.drop, "×", left, false)));
  };
  let shown = "";
  const drawPalette = () => {
    for (const each of $$("#colours-read li")) if (each.dataset.code) read.set(each.dataset.typed, each.dataset.code);
    const list = listed();
    const now = JSON.stringify(list.map((each) => [each, code(each)]));
    const wrong = $$("#colours-read li").some((each) => !each.dataset.code);
    $("#colours-read").classList.toggle("seen-only-by-readers", !wrong);
    for (const each of $$("[data-palette]", palette)) each.setAttribute("aria-pressed", String(each.dataset.palette === field("palette").value.trim().toLowerCase()));
    $("#add-colour").disabled = list.length >= MOST;
    if (now === shown) return;
    shown = now;
    colours.replaceChildren(...list.map(chip));
    colours.hidden = !list.length;
  };
  for (const each of $$(".palette-tools, .palettes", palette)) each.hidden = false;
  $("#add-colour").addEventListener("click", () => {
    const list = listed();
    write([...list.map((each) => code(each) || each), list.length ? "#8a8a8a" : "#ffffff"], `#colours li:nth-child(${list.length + 1}) input`);
  });
  $("#no-colours").addEventListener("click", () => { write([]); field("palette").focus(); });
  palette.addEventListener("click", (event) => {
    const name = event.target.closest("[data-palette]")?.dataset.palette;
    if (!name) return;
    field("palette").value = name;
    told(field("palette"));
  });
  document.addEventListener("htmx:afterSettle", drawPalette); // the server said how the palette is read

  // ------------------------------------------------------------------ the reference picture: told before it is sent, kept once it is
  const picture = $("#picture");
  const file = field("reference");
  const size = (bytes) => {
    const [value, unit] = bytes < 1024 ** 2 ? [bytes / 1024, "kB"] : [bytes / 1024 ** 2, "MB"];
    return `${new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 }).format(value)} ${unit}`;
  };
  const refuse = (sentence) => {
    picture.replaceChildren(make("p", { className: "said-wrong", textContent: sentence }));
    file.value = "";
  };
  const show = (src) => {
    const without = make("button", { type: "button", className: "quiet small", textContent: picture.dataset.without });
    without.dataset.withoutPicture = "";
    const about = make("figcaption", {}, picture.dataset.kept, " ", without);
    picture.replaceChildren(make("figure", { className: "picture" }, make("img", { src, alt: picture.dataset.alt }), about));
    $(".picture", picture).dataset.src = src;
  };
  const toCanvas = (src) => { if (!canvas) return; if (src) canvas.setAttribute("src", src); else canvas.removeAttribute("src"); };
  const token = () => $("#picture-token").value;
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    const about = $("#reference-told");
    about.textContent = [chosen.name, chosen.type || "?", size(chosen.size)].join(" · ");
    if (chosen.size > Number(file.dataset.largest)) { refuse(file.dataset.toolarge); return; }
    if (chosen.type && !chosen.type.startsWith("image/")) { refuse(file.dataset.nopicture); return; }
    const look = new Image();
    look.src = URL.createObjectURL(chosen);
    try {
      await look.decode();
      about.textContent += ` · ${look.naturalWidth} × ${look.naturalHeight} px`;
      toCanvas(look.src);
    } catch {
      // A browser can't show every picture that can be drawn from, such as a TIFF: the server looks at it.
    }
    htmx.trigger(file, "send-picture");
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target !== picture) return;
    const kept = $(".picture", picture);
    toCanvas(kept?.dataset.src);
    if (kept) file.value = ""; // it is kept there: it need not be sent again
    told(form);
  });
  picture.addEventListener("click", (event) => {
    if (!event.target.closest("[data-without-picture]")) return;
    picture.replaceChildren();
    $("#picture-token").value = "";
    file.value = "";
    toCanvas("");
    file.focus();
    told(form);
  });

  // ------------------------------------------------------------------ steps, and asking without holding
  const steps = $$(".stepper a");
  const markSteps = () => {
    const filled = { "step-1": ["customer"], "step-2": ["cloth"], "step-3": ["words"], "step-4": ["quantity", "due_date"] };
    for (const step of steps) {
      const done = filled[step.hash.slice(1)].every((name) => field(name).value.trim() || (name === "words" && token()));
      step.classList.toggle("done", done);
    }
  };
  $("#inquire").addEventListener("click", (event) => { event.preventDefault(); htmx.trigger(document.body, "inquire-now"); });

  const all = () => { fit(); drawCanvas(); drawProduct(); drawPalette(); markSteps(); };
  form.addEventListener("input", all);
  form.addEventListener("change", all);
  if (token() && !$(".picture", picture)) {
    show(picture.dataset.address.replace("TOKEN", token()));
    toCanvas(picture.dataset.address.replace("TOKEN", token()));
  }
  all();

  // What had been typed before was put in before anything listened: it is asked about now.
  document.addEventListener("DOMContentLoaded", () => {
    const changed = (each) => (each.options
      ? each.selectedIndex !== Math.max(0, [...each.options].findIndex((option) => option.defaultSelected))
      : each.value !== each.defaultValue || each.checked !== each.defaultChecked);
    if (changed(field("cloth"))) htmx.trigger(field("cloth"), "change");
    else if ([...form.elements].some(changed)) htmx.trigger(document.body, "inquire-now");
  });
})();
