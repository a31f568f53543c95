// The inspection: wipes source over scan, enlarges, and sends scans with their progress. All of it is there without it.
"use strict";
(() => {
  // ------------------------------------------------------------------ source against scan
  const ZOOMS = [1, 2, 4, 8];
  const kept = { wipe: "50", zoom: 1, layer: "none", marks: true };
  const viewer = () => document.getElementById("viewer");
  const wiped = () => {
    const range = document.getElementById("wipe");
    if (!range) return;
    kept.wipe = range.value;
    const source = viewer().querySelector(".source");
    const edge = viewer().querySelector(".edge");
    if (source) source.style.clipPath = `inset(0 ${100 - kept.wipe}% 0 0)`;
    if (edge) edge.style.left = `${kept.wipe}%`;
  };
  const zoomed = (to) => {
    const stage = viewer()?.querySelector(".stage");
    if (!stage) return;
    const was = Number(viewer().dataset.zoom);
    const middle = [(stage.scrollLeft + stage.clientWidth / 2) / was, (stage.scrollTop + stage.clientHeight / 2) / was];
    kept.zoom = to;
    viewer().dataset.zoom = to;
    document.getElementById("zoomed").textContent = `${to}×`;
    stage.scrollLeft = middle[0] * to - stage.clientWidth / 2;
    stage.scrollTop = middle[1] * to - stage.clientHeight / 2;
    document.getElementById("zoom-out").disabled = to === ZOOMS[0];
    document.getElementById("zoom-in").disabled = to === ZOOMS.at(-1);
  };
  const as_before = () => {
    const range = document.getElementById("wipe");
    if (range) range.value = kept.wipe;
    wiped();
    const layer = document.getElementById(`layer-${kept.layer}`);
    if (layer) layer.checked = true;
    const marks = document.getElementById("layer-marks");
    if (marks) marks.checked = kept.marks;
    zoomed(kept.zoom);
  };
  document.addEventListener("input", (event) => {
    if (event.target.id === "wipe") wiped();
    if (event.target.name === "layer") kept.layer = event.target.value;
    if (event.target.id === "layer-marks") kept.marks = event.target.checked;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("#zoom-in, #zoom-out");
    if (!button) return;
    const at = ZOOMS.indexOf(kept.zoom) + (button.id === "zoom-in" ? 1 : -1);
    zoomed(ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at))]);
  });
  document.addEventListener("pointerdown", (event) => {
    // On the cloth itself the line follows the finger or the mouse, unless a defect is pressed or the cloth is scrolled.
    const layers = event.target.closest(".layers");
    if (!layers || event.target.closest("a") || kept.zoom > 1 || !document.getElementById("wipe")) return;
    const follow = (move) => {
      const box = layers.getBoundingClientRect();
      document.getElementById("wipe").value = Math.round((100 * (move.clientX - box.left)) / box.width);
      wiped();
    };
    follow(event);
    const stop = () => {
      removeEventListener("pointermove", follow);
      removeEventListener("pointerup", stop);
      removeEventListener("pointercancel", stop);
    };
    addEventListener("pointermove", follow);
    addEventListener("pointerup", stop);
    addEventListener("pointercancel", stop);
  });
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.(".layers")) event.preventDefault(); });
  document.addEventListener("htmx:afterSettle", (event) => {
    const swapped = event.detail.elt ?? event.target;
    if (swapped.id !== "viewer" && !swapped.querySelector?.("#viewer") && swapped.id !== "judged") return;
    if (swapped.id === "viewer") kept.zoom = 1; // another place is seen whole first
    as_before();
    // Who opened a defect from below is led up to it.
    if (viewer() && event.detail.requestConfig?.path.includes("defect=")) viewer().scrollIntoView({ block: "nearest" });
    if (document.activeElement === document.body) (document.getElementById("to-strip") ?? document.getElementById("wipe"))?.focus();
  });

  // ------------------------------------------------------------------ scans
  const form = document.getElementById("scans-form");
  if (form) {
    const files = form.querySelector("input[type=file]");
    const list = form.querySelector(".chosen");
    const sending = form.querySelector(".sending");
    const error = form.querySelector("[role=alert]");
    const say = (words) => { error.textContent = words; error.hidden = !words; };
    files.addEventListener("change", () => {
      const lines = [...files.files].map((file) => Object.assign(document.createElement("li"), { textContent: `${file.name}, ${(file.size / 1e6).toFixed(1)} MB` }));
      list.replaceChildren(...lines);
      list.hidden = lines.length < 1;
      say("");
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      const button = form.querySelector("button");
      if (button.disabled) return;
      say("");
      button.disabled = true;
      sending.hidden = false;
      const bar = sending.querySelector("progress");
      const status = sending.querySelector("[role=status]");
      status.textContent = form.dataset.sending;
      const again = (words) => { say(words); button.disabled = false; sending.hidden = true; button.focus(); };
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("HX-Request", "true"); // signed out, it is answered 401 and not with the login page
      request.upload.addEventListener("progress", (sent) => { if (sent.lengthComputable) bar.value = (100 * sent.loaded) / sent.total; });
      request.addEventListener("error", () => again(form.dataset.failed));
      request.addEventListener("load", () => {
        if (request.status === 401) { again(form.dataset.over); return; }
        let answer = null;
        try { answer = JSON.parse(request.responseText); } catch { again(form.dataset.failed); return; }
        if (!answer.taken) { again(answer.sentence); return; }
        status.textContent = form.dataset.taken;
        location.assign(answer.address);
      });
      request.send(new FormData(form));
    });
  }
  as_before();
})();
