"use strict";
// Without this the page shows everything. With it, what is searched for and chosen stays.
const form = document.getElementById("filter");
const told = document.getElementById("shown");
const changes = Array.from(document.querySelectorAll(".change"), (element) => ({
  element, kind: element.dataset.kind, fates: element.dataset.fates.split(" "),
  words: element.textContent.toLowerCase(),
}));

const chosen = (name) => new Set(Array.from(form.querySelectorAll(`input[name=${name}]:checked`), (box) => box.value));

function filter() {
  const [kinds, fates] = [chosen("kind"), chosen("fate")];
  const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const change of changes) {
    const show = kinds.has(change.kind) && change.fates.some((fate) => fates.has(fate))
      && words.every((word) => change.words.includes(word));
    change.element.hidden = !show;
    count += show;
  }
  told.textContent = `${count} of ${changes.length} shown`;
}

function reveal() {
  // A link leads to a change that the filter hides.
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.hidden) { form.reset(); filter(); target.scrollIntoView(); }
}

if (form) {
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  document.getElementById("fold").addEventListener("click", () => {
    const open = changes.some((change) => change.element.open);
    for (const change of changes) change.element.open = !open;
  });
  addEventListener("hashchange", reveal);
  filter();
}
