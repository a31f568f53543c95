// What every page can do: keep what is typed, say when the server can't be reached, press nothing twice.
//
// <form data-keep="new-order">  keeps its fields on this device until it was sent and taken (data-kept on a later page
//                               names it: <meta name="kept" content="new-order">).
// htmx answers 401 when the session is over (orders/web/forms.py), so that nothing typed is swapped away.
"use strict";
(() => {
  const shown = (element, words) => { element.textContent = words; element.hidden = false; };
  const refused = () => document.getElementById("refused");

  // ------------------------------------------------------------------ offline
  const away = document.getElementById("away");  // templates/offline.js shows that page where another can't be fetched
  const online = () => { document.getElementById("offline").hidden = navigator.onLine || Boolean(away); };
  navigator.serviceWorker?.register(document.documentElement.dataset.worker).catch(() => {});  // a page works without
  const back = () => fetch(away.dataset.live, { cache: "no-store" }).then((live) => { if (live.ok) location.reload(); }, () => {});
  if (away && location.pathname !== "/offline/") setInterval(back, 3000);
  addEventListener("online", online);
  addEventListener("offline", online);
  document.addEventListener("htmx:sendError", () => { document.getElementById("offline").hidden = false; });
  document.addEventListener("htmx:afterOnLoad", () => { online(); });
  document.addEventListener("htmx:responseError", (event) => {
    const box = refused();
    shown(box, event.detail.xhr.status === 401 ? box.dataset.over : box.dataset.failed);
    box.scrollIntoView({ block: "nearest" });
  });

  // ------------------------------------------------------------------ nothing twice
  addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.matches("[hx-post], [data-hx-post]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // ------------------------------------------------------------------ nothing lost
  const place = (form) => `weftline:${form.dataset.keep}`;
  const kept = (name) => /^(csrfmiddlewaretoken|once|.*password.*)$/.test(name);
  const save = (form) => {
    const values = [...new FormData(form)].filter(([name, value]) => !kept(name) && typeof value === "string");
    localStorage.setItem(place(form), JSON.stringify(values));
  };
  const restore = (form) => {
    const text = localStorage.getItem(place(form));
    if (!text || form.dataset.fresh === "no") return;
    const values = JSON.parse(text);
    let changed = false;
    for (const field of form.elements) {
      if (!field.name || kept(field.name) || field.type === "file") continue;
      const given = values.filter(([name]) => name === field.name).map(([, value]) => value);
      if (field.type === "checkbox" || field.type === "radio") {
        const on = given.includes(field.value);
        changed ||= on !== field.checked;
        field.checked = on;
      } else if (given.length && field.value !== given[0]) {
        field.value = given[0];
        changed = true;
      }
    }
    if (!changed) return;
    shown(refused(), refused().dataset.kept);
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };
  for (const done of document.querySelectorAll("meta[name=kept]")) localStorage.removeItem(`weftline:${done.content}`);
  for (const form of document.querySelectorAll("form[data-keep]")) {
    restore(form);
    form.addEventListener("input", () => save(form));
    form.addEventListener("change", () => save(form));
  }
  online();
})();
