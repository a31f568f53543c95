// Shows each design as soon as it is drawn. Without this script the page asks again every two seconds.
"use strict";
(() => {
  const shown = document.querySelector("[data-designs]");
  const stream = new EventSource(shown.dataset.designs);
  const later = () => setTimeout(() => location.reload(), 2000);

  const add = (parent, tag, text) => {
    const made = parent.appendChild(document.createElement(tag));
    if (text) made.textContent = text;
    return made;
  };

  stream.addEventListener("progress", (event) => {
    document.getElementById("progress").textContent = JSON.parse(event.data).progress;
  });
  stream.addEventListener("candidate", (event) => {
    const design = JSON.parse(event.data);
    if (document.getElementById(`candidate-${design.id}`)) return;
    const nothing = shown.querySelector("p.nothing");
    if (nothing) nothing.remove();
    const card = add(shown, "article");
    card.id = `candidate-${design.id}`;
    card.className = "card";
    const picture = add(card, "img");
    picture.alt = `Candidate ${design.position}`;
    picture.src = `${design.preview}?size=640&repeats=2`;
    add(card, "p", "Being checked…").className = "verdict";
    for (const note of design.notes) add(card, "p", note).className = "note";
  });
  stream.addEventListener("checked", (event) => {
    const found = JSON.parse(event.data);
    const verdict = document.querySelector(`#candidate-${found.id} .verdict`);
    if (verdict) verdict.textContent = found.passed ? `${found.price} ${found.currency}` : "Can't be made as it is.";
  });
  stream.addEventListener("end", (event) => {
    stream.close();
    if (JSON.parse(event.data).over) location.reload();
    else later();
  });
  // A stream that broke comes back by itself; one that was refused does not.
  stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) later(); };
})();
