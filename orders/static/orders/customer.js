// The customer's page: places on the design, comments, knobs; and the copy button beside a new link.
// What is sent is checked by the server as if this file did not exist.
"use strict";
(() => {
  const INCH_MM = 25.4;

  // ------------------------------------------------------------------ the cloth and its comments
  const cloth = document.getElementById("cloth");
  const form = document.getElementById("pin-form");
  const kept = document.getElementById("pins-there");
  const pins = kept ? JSON.parse(kept.textContent) : [];
  if (cloth && pins.length) customElements.whenDefined("weft-canvas").then(() => cloth.mark(pins));

  const number = (mm) => {
    const value = form.dataset.inch === "1" ? mm : mm / INCH_MM;
    return new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: form.dataset.inch === "1" ? 1 : 2, useGrouping: false }).format(value);
  };
  if (cloth && form) {
    const pointed = document.getElementById("pointed");
    const words = pointed.querySelector("[data-words]");
    const unit = form.dataset.inch === "1" ? "mm" : "in";
    cloth.addEventListener("weft-point", (event) => {
      const { x_mm: x, y_mm: y } = event.detail;
      form.elements.x.value = number(x);
      form.elements.y.value = number(y);
      words.textContent = words.dataset.words.replace("{x}", `${number(x)} ${unit}`).replace("{y}", `${number(y)} ${unit}`);
      pointed.hidden = false;
      cloth.mark([...pins, { x_mm: x, y_mm: y, number: pins.length + 1 }]);
    });
    cloth.addEventListener("weft-pin", (event) => {
      const comment = document.getElementById(`pin-${event.detail.number}`);
      if (!comment) return;
      comment.tabIndex = -1;
      comment.focus();
    });
    document.getElementById("comment-here").addEventListener("click", () => {
      form.scrollIntoView({ block: "center" });
      form.elements.words.focus({ preventScroll: true });
    });
  }

  // ------------------------------------------------------------------ knobs say how far they are turned
  for (const output of document.querySelectorAll("output[data-of]")) {
    const knob = output.closest("form").elements[output.dataset.of];
    const percent = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "percent", maximumFractionDigits: 0 });
    const say = () => { output.textContent = percent.format(knob.value); knob.setAttribute("aria-valuetext", output.textContent); };
    knob.addEventListener("input", say);
    say();
  }

  // ------------------------------------------------------------------ designs that were drawn meanwhile
  document.addEventListener("weft-drawn", () => {
    const typing = [...document.querySelectorAll("textarea, #pin-form input")].some((field) => field.type !== "hidden" && field.value.trim());
    if (!typing) location.assign(document.getElementById("show-drawn")?.href || location.pathname);
  });
  document.getElementById("refusal")?.focus();

  // An address that is shown once is not swapped away while it stands there.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.querySelector("#made-link")) event.detail.shouldSwap = false;
  });

  // ------------------------------------------------------------------ copying, printing
  const copied = async (field) => {
    field.focus();
    field.select();
    if (navigator.clipboard) return navigator.clipboard.writeText(field.value);
    return document.execCommand("copy"); // a server in the house without a certificate has no clipboard
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) {
      await copied(document.getElementById(button.dataset.copies));
      button.textContent = button.dataset.done;
      button.focus();
    }
    if (event.target.closest("[data-prints]")) print();
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches("[data-selects]")) event.target.select(); });
  for (const button of document.querySelectorAll("[data-prints]")) button.hidden = false;
})();
