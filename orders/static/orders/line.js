// The page of one line: watches designs being drawn, puts the chosen one on the canvas, keeps two canvases together.
// Everything it shows was rendered by the server; without this script the page is read anew instead.
"use strict";
(() => {
  const at = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const cloth = () => at("#cloth");

  // ---------------------------------------------------------------- the chosen design

  const card = () => at("[name=design]:checked")?.closest(".design");

  const show = () => {
    const chosen = card();
    if (!chosen || !cloth()) return;
    const { src, width, height, layout, cloth: usable, white, label, scale, density } = chosen.dataset;
    const told = {
      src, label, layout, white, "repeat-width-mm": width, "repeat-height-mm": height, "cloth-width-mm": usable,
    };
    for (const [name, value] of Object.entries(told)) {
      if (value) cloth().setAttribute(name, value); else cloth().removeAttribute(name);
    }
    customElements.whenDefined("weft-canvas").then(() => cloth().mark(JSON.parse(chosen.dataset.pins)));
    const key = at("[name=design]:checked").value;
    for (const field of all("#adjust input.chosen")) field.value = key;
    for (const slider of all("#adjust [data-of]")) {
      if (!slider.closest("form").dataset.touched) slider.value = { scale, density }[slider.dataset.of];
    }
    for (const option of all("#other option")) option.disabled = option.value === key;
    const other = at("#other");
    if (other && other.selectedOptions[0]?.disabled) other.value = all("#other option").find((each) => !each.disabled)?.value;
    for (const link of all("a.compare")) {
      const to = new URL(link.href);
      to.searchParams.set("a", key);
      link.href = to;
      link.hidden = link.dataset.with === key;
      at("span", link).textContent = at(".name", chosen).textContent.replace(/^\D+/, "");
    }
    for (const each of all(".design")) each.classList.toggle("chosen", each === chosen);
    outputs();
  };

  document.addEventListener("change", (event) => {
    if (event.target.name !== "design") return;
    show();
    // Asked for by something that stays on the page: the card itself may be another by the time of the answer.
    const colours = at("#of-colours") ? "&colours=1" : "";
    window.htmx.ajax("GET", event.target.dataset.choose + colours, { source: "#choice", swap: "none" }).catch(() => {});
    if (!event.isTrusted) return; // the page chose for want of a choice: nothing to come back to
    for (const each of all("[name=design][data-auto]")) delete each.dataset.auto;
    const here = new URL(location);
    here.searchParams.set("design", event.target.value);
    history.replaceState(null, "", here);
  });

  document.addEventListener("click", (event) => {
    const view = event.target.closest("[data-view]")?.dataset.view;
    if (!view || !cloth()) return;
    cloth().setAttribute("view", view);
    cloth().scrollIntoView({ block: "nearest" });
  });

  // ---------------------------------------------------------------- sliders say their value

  const outputs = () => {
    for (const slider of all("input[type=range][data-as=percent]")) {
      const text = new Intl.NumberFormat(document.documentElement.lang, { style: "percent" }).format(slider.value);
      at("output", slider.closest("label")).textContent = text;
      slider.setAttribute("aria-valuetext", text);
    }
  };
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-calm] form");
    if (form) form.dataset.touched = "yes";
    if (event.target.type === "range") outputs();
  });

  // ---------------------------------------------------------------- drawn, checked: as it happens

  let stream = null;
  const look = () => { if (at("#watch")) window.htmx.trigger("#watch", "look"); };

  const fetchCard = async (watched, key) => {
    const address = watched.dataset.design.replace(/0\/$/, `${key}/`);
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("article");
    const newest = at("#newest");
    if (!made || !newest) return;
    const before = document.getElementById(made.id);
    // Until a person chooses, the first of the new round stands on the canvas.
    const first = !card() || (at("[name=design]:checked").dataset.auto && !newest.contains(card()));
    const radio = at("[name=design]", made);
    const earlier = before && at("[name=design]", before);
    radio.checked = earlier ? earlier.checked : first;
    if (earlier ? "auto" in earlier.dataset : first) radio.dataset.auto = "yes";
    const focused = before?.contains(document.activeElement) ? document.activeElement.id : "";
    at(".nothing", newest)?.remove();
    if (before) before.replaceWith(made); else newest.append(made);
    const picture = at("img", made);
    picture.loading = "eager";
    if (!before) await picture.decode().catch(() => {}); // what a person waits for comes before what is read beside it
    window.htmx.process(made);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (radio.checked) { radio.dispatchEvent(new Event("change", { bubbles: true })); }
    show();
  };

  const watch = () => {
    const watched = at("#watch");
    const address = watched?.dataset.stream || "";
    if (stream && stream.url.endsWith(address) && address) return;
    stream?.close();
    stream = null;
    if (!address) return;
    stream = new EventSource(address);
    const here = stream;
    const later = () => setTimeout(() => { if (stream === here) { stream = null; look(); } }, 1500);
    here.addEventListener("progress", (event) => {
      const told = JSON.parse(event.data);
      const words = at("#progress");
      if (words && told.progress) words.textContent = told.progress;
      const bar = at("#progress-bar");
      const said = /(\d+) ?%/.exec(told.progress);
      if (bar && (told.drawn || said)) bar.value = told.drawn ? (100 * told.drawn) / told.wanted : Number(said[1]);
    });
    for (const name of ["candidate", "checked"]) {
      here.addEventListener(name, (event) => fetchCard(watched, JSON.parse(event.data).id));
    }
    here.addEventListener("end", (event) => {
      here.close();
      if (JSON.parse(event.data).over) { stream = null; look(); } else later();
    });
    // A stream that broke comes back by itself; one that was refused does not: then the page asks, now and again.
    here.onerror = () => { if (here.readyState === EventSource.CLOSED) later(); };
  };

  // ---------------------------------------------------------------- what is swapped in

  // Whoever is typing is not disturbed by what happens meanwhile.
  const busy = (part) => {
    const typing = part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
    if (part.id === "decide") return !acted && Boolean(at("#agree[open]", part));
    return part.hasAttribute("data-calm") && (typing || all("form", part).some((form) => form.dataset.touched));
  };
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (busy(event.detail.target)) event.detail.shouldSwap = false;
  });
  // What the page chose for want of a choice is not held on to once the round is drawn: then the best is known.
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters } = event.detail;
    if (elt.id === "watch" && elt.dataset.stream && at("[name=design]:checked")?.dataset.auto) delete parameters.design;
  });
  let acted = false; // the person has done something, and waits for what comes of it
  document.addEventListener("htmx:beforeRequest", (event) => { acted = event.detail.requestConfig.verb === "post"; });
  // While something is being done, what merely changes waits: it would take the form away that is answered.
  let doing = 0;
  const posts = (event) => event.detail.requestConfig.verb === "post";
  document.addEventListener("htmx:beforeSend", (event) => { doing += posts(event) ? 1 : 0; });
  document.addEventListener("htmx:afterRequest", (event) => { doing -= posts(event) ? 1 : 0; });
  document.addEventListener("htmx:beforeSwap", (event) => { if (doing && !posts(event)) event.detail.shouldSwap = false; });
  document.addEventListener("htmx:afterSettle", () => {
    show();
    watch();
    if (!acted || (document.activeElement && document.activeElement !== document.body)) return;
    at("#said")?.focus();
  });

  // ---------------------------------------------------------------- two canvases, one look

  for (const pair of all("[data-synchronised]")) {
    const canvases = all("weft-canvas", pair);
    const others = (event) => canvases.filter((each) => each !== event.target);
    pair.addEventListener("weft-view", (event) => { for (const each of others(event)) each.show(event.detail); });
    pair.addEventListener("weft-shown", (event) => {
      for (const each of others(event)) {
        each.setAttribute("product", event.detail.product);
        each.setAttribute("view", event.detail.view);
      }
    });
  }

  show();
  outputs();
  watch();
})();
