// The dashboard refreshes by itself, quietly: not while nobody looks, and not under somebody's eyes or hands.
"use strict";
(() => {
  const stale = document.querySelector(".panels")?.dataset.stale || "";
  const bodyOf = (element) => element.closest?.(".panel")?.querySelector(".body");
  document.addEventListener("htmx:beforeRequest", (event) => {
    const poll = event.target;
    if (!poll.matches?.(".poll")) return;
    const body = bodyOf(poll);
    const read = body.querySelector("details[open]") || body.contains(document.activeElement);
    if (document.hidden || read) event.preventDefault();
  });
  const failed = (event) => {
    const body = bodyOf(event.target);
    if (!body) return;
    body.removeAttribute("aria-busy");
    const place = body.querySelector(".stale") || body.querySelector(".loading");
    if (place) place.textContent = stale;
  };
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:afterSwap", (event) => event.target.removeAttribute?.("aria-busy"));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) for (const poll of document.querySelectorAll(".poll")) window.htmx.trigger(poll, "look");
  });
})();
