// The map of a brand's space: approved designs where they lie, one that is dragged, the box it may be dragged in.
// The sliders are the truth that the server gets; the map only turns them.
"use strict";
(() => {
  const at = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 640, HEIGHT = 480, EDGE = 44, PICTURE = 46;
  const data = JSON.parse(at("#map-data").textContent);
  const box = at("[data-map]");
  const form = at("#walk");
  const across = at("[data-across]"), up = at("[data-up]");
  const spots = new Map(data.spots.map((spot) => [String(spot.id), spot]));
  const made = (name, attributes = {}, parent) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return parent ? parent.appendChild(element) : element;
  };

  at("[data-focus]")?.focus();
  at("[data-submits]")?.addEventListener("change", (event) => event.currentTarget.submit());
  if (!form || !data.axes.length) return;

  const sliders = all("input[type=range]", form);
  const slider = (number) => sliders.find((each) => each.dataset.axis === String(number));
  const x = () => Number(across.value), y = () => (up ? Number(up.value) : -1);
  const chosen = () => spots.get(at("#which").value);
  const amount = (number) => (number < 0 ? 0 : Number(slider(number).value));
  const clamp = (value, least, most) => Math.min(most, Math.max(least, value));

  // ------------------------------------------------------------------ where things lie
  const extent = (number) => {
    if (number < 0) return [-1, 1];
    const places = data.spots.map((spot) => spot.places[number]);
    const own = chosen()?.places[number] ?? 0;
    const [least, most] = data.axes[number].farthest;
    const low = Math.min(...places, own + least), high = Math.max(...places, own + most);
    const margin = (high - low || 1) * 0.08;
    return [low - margin, high + margin];
  };
  const scale = (number, from, to) => {
    const [low, high] = extent(number);
    return {
      px: (value) => from + ((value - low) / (high - low)) * (to - from),
      of: (px) => low + ((px - from) / (to - from)) * (high - low),
    };
  };

  let to = { x: null, y: null };
  const svg = box.appendChild(made("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": box.dataset.where }));

  const draw = () => {
    const here = chosen();
    to = { x: scale(x(), EDGE, WIDTH - EDGE), y: scale(y(), HEIGHT - EDGE, EDGE) };
    svg.replaceChildren();
    made("line", { x1: EDGE, x2: WIDTH - EDGE, y1: HEIGHT - EDGE / 2, y2: HEIGHT - EDGE / 2, class: "axis" }, svg);
    made("text", { x: WIDTH - EDGE, y: HEIGHT - 6, "text-anchor": "end" }, svg).textContent = `${data.axes[x()].said} →`;
    if (y() >= 0) {
      made("line", { x1: EDGE / 2, x2: EDGE / 2, y1: EDGE, y2: HEIGHT - EDGE, class: "axis" }, svg);
      made("text", { x: 8, y: EDGE - 14 }, svg).textContent = `↑ ${data.axes[y()].said}`;
    }
    for (const spot of data.spots) if (spot !== here) place(spot, false);
    if (here) place(here, true);
    if (!here) return;
    bounds(here);
    const point = made("circle", { r: 13, class: "mover", tabindex: -1 }, svg);
    made("title", {}, point).textContent = box.dataset.movesHere;
    point.addEventListener("pointerdown", (event) => drag(event, point, moveTo));
    settle();
  };

  const place = (spot, is) => {
    const left = to.x.px(spot.places[x()]), top = y() < 0 ? HEIGHT / 2 : to.y.px(spot.places[y()]);
    const group = made("g", { class: `spot${spot.own ? " own" : ""}${is ? " is" : ""}` }, svg);
    made("image", { href: spot.picture, x: left - PICTURE / 2, y: top - PICTURE / 2, width: PICTURE, height: PICTURE, preserveAspectRatio: "xMidYMid slice" }, group);
    made("rect", { x: left - PICTURE / 2, y: top - PICTURE / 2, width: PICTURE, height: PICTURE, rx: 3 }, group);
    made("title", {}, group).textContent = spot.name;
    group.addEventListener("click", () => { at("#which").value = String(spot.id); changed(); });
  };

  const reachOf = (number) => (number < 0 ? [-0.4, 0.4] : data.axes[number].reach);
  const bounds = (here) => {
    const [x0, x1] = reachOf(x()).map((value) => to.x.px(here.places[x()] + value));
    const [y0, y1] = reachOf(y()).map((value) => (y() < 0 ? HEIGHT / 2 - value * 90 : to.y.px(here.places[y()] + value)));
    made("rect", { x: x0, y: Math.min(y0, y1), width: x1 - x0, height: Math.abs(y1 - y0), class: "reach" }, svg);
    if (!data.mayBound) return;
    const middle = (y0 + y1) / 2, centre = (x0 + x1) / 2;
    handle(x0, middle, x(), 0, "x");
    handle(x1, middle, x(), 1, "x");
    if (y() >= 0) { handle(centre, y0, y(), 0, "y"); handle(centre, y1, y(), 1, "y"); }
  };

  // A handle only fills in the numbers of its axis: kept is what "Keep" sends.
  const handle = (left, top, number, end, along) => {
    const size = along === "x" ? [10, 34] : [34, 10];
    const grip = made("rect", { x: left - size[0] / 2, y: top - size[1] / 2, width: size[0], height: size[1], rx: 4, class: `grip ${along}` }, svg);
    made("title", {}, grip).textContent = `${box.dataset.edge} ${data.axes[number].said}`;
    grip.addEventListener("pointerdown", (event) => drag(event, grip, (px) => {
      const [least, most] = data.axes[number].farthest;
      const value = (along === "x" ? to.x.of(px.x) : to.y.of(px.y)) - chosen().places[number];
      const bound = end ? clamp(value, 0, most) : clamp(value, least, 0);
      const field = at(`#${end ? "most" : "least"}-${number}`);
      if (!field) return;
      field.value = String(Math.round(bound * 100) / 100);
      field.form.dataset.touched = "yes";
      const where = chosen().places[number] + bound;
      if (along === "x") grip.setAttribute("x", to.x.px(where) - size[0] / 2); else grip.setAttribute("y", to.y.px(where) - size[1] / 2);
    }, () => at(`#keep-${number}`)?.focus()));
  };

  // ------------------------------------------------------------------ dragging
  const drag = (event, element, moved, over) => {
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    const on = (each) => {
      const frame = svg.getBoundingClientRect();
      moved({ x: ((each.clientX - frame.left) / frame.width) * WIDTH, y: ((each.clientY - frame.top) / frame.height) * HEIGHT });
    };
    const off = () => {
      element.removeEventListener("pointermove", on);
      element.removeEventListener("pointerup", off);
      over?.();
    };
    element.addEventListener("pointermove", on);
    element.addEventListener("pointerup", off);
  };
  const moveTo = (px) => {
    const here = chosen();
    const set = (number, value) => {
      const [least, most] = data.axes[number].reach;
      slider(number).value = String(clamp(value - here.places[number], least, most));
    };
    set(x(), to.x.of(px.x));
    if (y() >= 0 && y() !== x()) set(y(), to.y.of(px.y));
    settle();
    look();
  };

  /** Put the point where the sliders say. */
  const settle = () => {
    const here = chosen(), point = at(".mover", svg);
    for (const each of sliders) each.nextElementSibling.textContent = Number(each.value).toFixed(2);
    if (point) {
      point.setAttribute("cx", to.x.px(here.places[x()] + amount(x())));
      point.setAttribute("cy", y() < 0 ? HEIGHT / 2 : to.y.px(here.places[y()] + amount(y())));
    }
    const moves = sliders.filter((each) => Number(each.value)).map((each) => `${data.axes[each.dataset.axis].said} ${Number(each.value).toFixed(2)}`);
    at("#moved-said").textContent = moves.join(", ");
    const button = at("#draw-this");
    if (button) button.disabled = !moves.length || !button.dataset.own.split(" ").includes(at("#which").value);
  };

  // ------------------------------------------------------------------ what it looks like: one picture on its way at a time
  const there = at("#there");
  let busy = false, again = false;
  const look = () => {
    if (busy) { again = true; return; }
    busy = true;
    const asked = new URLSearchParams({ candidate: at("#which").value });
    for (const each of sliders) asked.set(each.name, each.value);
    const picture = new Image();
    const done = () => {
      busy = false;
      if (again) { again = false; look(); }
    };
    picture.onload = () => { there.src = picture.src; there.dataset.shown = asked.toString(); done(); };
    picture.onerror = done;
    picture.src = `${data.look}?${asked}`;
  };

  const changed = () => {
    at("#base").src = chosen().picture.replace("size=128", "size=384");
    for (const each of sliders) each.value = "0";
    draw();
    look();
  };
  at("#which").addEventListener("change", changed);
  for (const each of sliders) each.addEventListener("input", () => { settle(); look(); });
  form.addEventListener("reset", () => setTimeout(() => { for (const each of sliders) each.value = "0"; settle(); look(); }));
  across.addEventListener("change", draw);
  up?.addEventListener("change", draw);

  // What was kept of an axis comes back as the section anew: the map takes its bounds and names over.
  document.addEventListener("htmx:afterSwap", () => {
    for (const bounded of all("[data-bounds]")) {
      const number = Number(bounded.dataset.bounds), axis = data.axes[number];
      if (!axis) continue;
      axis.reach = [Number(at("[name=least]", bounded).value), Number(at("[name=most]", bounded).value)];
      axis.said = at("[name=called]", bounded).value || axis.name;
      for (const choice of [across, up]) {
        const option = choice && at(`option[value="${number}"]`, choice);
        if (option) option.textContent = axis.said;
      }
      const own = slider(number), step = Number(own.step);
      own.min = (Math.ceil(axis.reach[0] / step - 1e-9) * step).toFixed(2);
      own.max = (Math.floor(axis.reach[1] / step + 1e-9) * step).toFixed(2);
      own.previousElementSibling.textContent = axis.said;
    }
    draw();
  });
  draw();
})();
