// The shop floor: what is pressed is kept on this device first, then sent, in its order, each once. Without a network
// it waits here; what is not taken is shown with the reason. The server checks all of it again.
"use strict";
(() => {
  const PLACE = "weftline:reports";
  const AFTER = { start: "running", resume: "running", pause: "paused", finish: "done" };
  const words = document.getElementById("queue-words")?.dataset;
  if (!words) return;
  const box = document.getElementById("queue");
  const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["x-csrftoken"];
  const read = () => JSON.parse(localStorage.getItem(PLACE) || "[]");
  const write = (items) => localStorage.setItem(PLACE, JSON.stringify(items));
  const change = (once, how) => { write(read().flatMap((each) => (each.fields.once === once ? how(each) : [each]))); show(); };

  // A tablet on a plain address of the mill has no crypto.randomUUID.
  const uuid = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  // ------------------------------------------------------------------ pressed
  let pressed = { at: 0, what: "" };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.report) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const fields = Object.fromEntries(new FormData(form, event.submitter));
    const what = [form.action, fields.operation, fields.kind, fields.reason, fields.undoes, fields.metres].join(" ");
    if (what === pressed.what && event.timeStamp - pressed.at < 700) return; // a glove that bounced
    pressed = { at: event.timeStamp, what };
    delete fields.csrfmiddlewaretoken;
    fields.once = uuid();
    const operation = document.getElementById("operation")?.textContent.trim().replace(/\s+/g, " ") || "";
    const label = `${event.submitter?.textContent.trim() || ""}${fields.metres ? ` ${fields.metres}` : ""} · ${operation}`;
    const item = { who: words.me, url: form.action, at: Date.now(), label, fields };
    try {
      write([...read(), item]);
    } catch {
      show(words.full);
      return;
    }
    const now = form.closest(".now");
    const after = AFTER[form.dataset.report];
    if (after && now) {
      now.dataset.state = after;
      const stand = document.getElementById("stand");
      stand.textContent = stand.dataset[after];
      stand.className = `state ${after}`;
    }
    for (const open of document.querySelectorAll(".presses details[open]")) open.open = false;
    show();
    send();
  }, true);

  document.addEventListener("click", (event) => {
    const by = event.target.closest("[data-add]");
    if (!by) return;
    const field = by.parentElement.querySelector("input[name=metres]");
    const comma = field.value.includes(",");
    const sum = Math.max(0, Math.round((parseFloat(field.value.replace(",", ".") || 0) + parseFloat(by.dataset.add)) * 100) / 100);
    field.value = comma ? String(sum).replace(".", ",") : String(sum);
  });

  // ------------------------------------------------------------------ sent
  let sending = false;
  const send = async () => {
    if (sending) return;
    sending = true;
    const stuck = new Set();
    let moved = false;
    try {
      for (const item of read()) {
        if (item.who !== words.me || item.refused || stuck.has(item.url)) { stuck.add(item.url); continue; }
        const body = new URLSearchParams({ ...item.fields, ago_s: Math.max(0, (Date.now() - item.at) / 1000) });
        const answer = await fetch(item.url, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": token(), "HX-Request": "true" } });
        if (answer.status === 401) { show(words.over); return; }
        if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) return; // not ours: try later
        const said = await answer.json();
        moved ||= new URL(item.url).pathname.replace(/report\/$/, "work/") === work?.getAttribute("hx-get");
        if (said.taken) {
          tell(said.sentence);
          change(item.fields.once, () => []);
        } else {
          stuck.add(item.url);
          change(item.fields.once, (each) => [{ ...each, refused: said.sentence, unlikely: said.unlikely }]);
        }
      }
    } catch {
      // No network: it stays here and is tried again.
    } finally {
      sending = false;
      if (moved) refresh(true);
    }
  };

  const tell = (sentence) => {
    let live = document.getElementById("said");
    if (!live) {
      live = Object.assign(document.createElement("p"), { id: "said", className: "seen-only-by-readers" });
      live.setAttribute("role", "status");
      document.getElementById("main").append(live);
    }
    live.textContent = sentence;
  };

  // ------------------------------------------------------------------ shown
  const show = (warning) => {
    const items = read();
    box.hidden = !items.length && !warning;
    box.classList.toggle("refused", items.some((each) => each.refused));
    const list = document.createElement("ul");
    const line = (...parts) => { const li = document.createElement("li"); li.append(...parts); list.append(li); };
    const text = (tag, said) => Object.assign(document.createElement(tag), { textContent: said });
    const button = (said, kind, press) => {
      const made = Object.assign(text("button", said), { type: "button", className: `big ${kind}` });
      made.addEventListener("click", press);
      return made;
    };
    if (warning) line(text("p", warning));
    for (const item of items) {
      const ticket = item.url.split("/").at(-3);
      const at = new Date(item.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      const what = text("span", `${ticket} · ${item.label} · ${at}`);
      if (!item.refused) {
        line(text("b", item.who === words.me ? words.waiting : `${item.who}: ${words.theirs}`), what);
        continue;
      }
      const once = item.fields.once;
      const again = (more) => { change(once, ({ refused, unlikely, ...each }) => [{ ...each, fields: { ...each.fields, ...more } }]); send(); };
      line(
        text("p", `${words.refused}: ${item.refused}`), what,
        item.unlikely ? button(words.sure, "go", () => again({ sure: "true" })) : button(words.again, "quiet", () => again({})),
        button(words.drop, "quiet", () => { change(once, () => []); send(); refresh(true); }),
      );
    }
    const before = box.contains(document.activeElement);
    box.replaceChildren(list);
    const first = box.querySelector("button");
    if (first && (before || document.activeElement === document.body)) first.focus();
  };

  const work = document.getElementById("work");
  const typing = () => work?.querySelector("details[open]") !== null;
  let wanted = false;
  const refresh = (must) => {
    if (!work) return;
    wanted = must;
    window.htmx.trigger(work, "refresh");
  };
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target !== work) return;
    const now = work.querySelector(".now");
    event.detail.parameters.seen = wanted ? "" : now.dataset.mark;
    const chosen = new URLSearchParams(location.search).get("op");
    if (chosen !== null) event.detail.parameters.op = chosen;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    // What somebody is about to press is not taken from under their finger; and what waits here is newer than the page.
    if (event.target === work && !wanted && (typing() || read().some((each) => each.who === words.me))) event.preventDefault();
  });
  // What somebody has opened and typed stays open and typed, and typing goes on, when the part around it is read anew.
  let open = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== work) return;
    const details = work.querySelector(".presses details[open]");
    const field = details?.querySelector("input[name=metres]");
    const focus = details?.contains(document.activeElement) ? document.activeElement.id : "";
    open = details && { id: details.id, metres: field?.value, chosen: [field?.selectionStart, field?.selectionEnd], focus };
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== work || !open) return;
    const details = document.getElementById(open.id);
    if (!details || details.offsetParent === null) return;
    details.open = true;
    const field = details.querySelector("input[name=metres]");
    if (field && open.metres !== undefined) {
      field.value = open.metres;
      field.setSelectionRange(...open.chosen);
    }
    document.getElementById(open.focus)?.focus();
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target !== work) return;
    wanted = false;
    begun = performance.now();
    if (document.activeElement !== document.body) return;
    const main = [...work.querySelectorAll(".presses > form > button, .presses > details > summary")];
    main.find((each) => each.offsetParent !== null)?.focus();
  });

  // ------------------------------------------------------------------ the clock
  let begun = performance.now();
  setInterval(() => {
    const elapsed = document.querySelector(".elapsed[data-running]");
    if (!elapsed) return;
    const seconds = Number(elapsed.dataset.workedS) + Math.floor((performance.now() - begun) / 1000);
    const two = (number) => String(number).padStart(2, "0");
    elapsed.textContent = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  }, 1000);

  // ------------------------------------------------------------------ scanned
  const field = document.getElementById("ticket");
  document.addEventListener("keydown", (event) => {
    // A scanner types wherever it is: what is typed into nothing goes into the ticket's field.
    if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey && document.activeElement === document.body) field.focus();
  });
  const camera = document.getElementById("camera");
  const dialog = document.getElementById("looking");
  if ("BarcodeDetector" in window && navigator.mediaDevices?.getUserMedia) {
    camera.hidden = false;
    const video = dialog.querySelector("video");
    const stop = () => { video.srcObject?.getTracks().forEach((track) => track.stop()); video.srcObject = null; };
    dialog.addEventListener("close", stop);
    dialog.querySelector("button").addEventListener("click", () => dialog.close());
    camera.addEventListener("click", async () => {
      dialog.showModal();
      try {
        video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
        await video.play();
        const detector = new window.BarcodeDetector({ formats: ["qr_code", "code_128"] });
        while (dialog.open) {
          const [found] = await detector.detect(video);
          if (found) {
            field.value = found.rawValue;
            dialog.close();
            field.form.requestSubmit();
          }
          await new Promise((over) => setTimeout(over, 200));
        }
      } catch {
        dialog.close();
        camera.hidden = true; // it may not be used here: the field still can
        field.focus();
      }
    });
  }

  addEventListener("online", send);
  addEventListener("storage", (event) => { if (event.key === PLACE) show(); });
  setInterval(send, 10_000);
  show();
  send();
})();
