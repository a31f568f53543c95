{% load static %}// Stands between the pages and the server for one thing alone: a page that can't be fetched says so in our words,
// keeps its address, and comes by itself once there is a connection again. Nothing else is kept or answered here.
"use strict";
const PAGE = "{% url 'offline' %}";
const PARTS = [PAGE, "{% static 'orders/weftline.css' %}", "{% static 'orders/weftline.js' %}", "{% static 'orders/weftline.svg' %}"];
const kept = () => caches.open("weftline-offline");

addEventListener("install", (event) => {
  event.waitUntil(kept().then((cache) => cache.addAll(PARTS)).then(() => skipWaiting()));
});
addEventListener("activate", (event) => {
  const old = (cache) => cache.keys().then((keys) => Promise.all(
    keys.filter((key) => !PARTS.includes(new URL(key.url).pathname)).map((key) => cache.delete(key))));
  event.waitUntil(kept().then(old).then(() => clients.claim()));
});
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const instead = request.mode === "navigate" ? PAGE : new URL(request.url).pathname;
  if (!PARTS.includes(instead)) return;
  event.respondWith(fetch(request).catch(async (error) => {
    const found = await (await kept()).match(instead);
    if (!found) throw error;
    return found;
  }));
});
