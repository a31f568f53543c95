// Shows of each branch only what its kind asks for. Without this script all fields are there, and the others are not read.
for (const branch of document.querySelectorAll(".branch")) {
  const kind = branch.querySelector("[name^=kind]");
  const show = () => {
    for (const label of branch.querySelectorAll("[data-for]")) label.hidden = !label.dataset.for.split(" ").includes(kind.value);
  };
  kind.addEventListener("change", show);
  branch.closest("form").addEventListener("input", show);
  show();
}
