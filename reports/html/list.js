// ---- the list of cases, those that need attention first

const ranks = ["error", "untestable", "fail", "warn", "expected-fail", "not-offered", "pass"];
const byUrgency = cases.toSorted((a, b) => ranks.indexOf(a.verdict) - ranks.indexOf(b.verdict));
const items = new Map(); // those that are in the page
const none = el("li", { class: "none" }, "No case matches the filter.");
none.hidden = cases.length > 0;
$("list").append(none);
if (left) $("list").append(el("li", { class: "none" }, `${left} more cases are only in run.ndjson, to keep this page small.`));

// list puts the next cases into the page, before what is said at the end of the list.
function list(most) {
  const next = byUrgency.slice(items.size, items.size + most);
  for (const c of next) {
    items.set(c, el("li", { class: c.verdict === "pass" ? "passed" : null }, el("a", { href: link(c.id) },
      mark(c), el("code", {}, c.id), el("span", { class: "took" }, c.took), c.headline && el("span", { class: "about" }, c.headline))));
  }
  none.before(...next.map((c) => items.get(c)));
  return items.size < cases.length;
}

// The first cases are there at once. The others follow when the page is open: it must not wait for a list far below.
list(100);
addEventListener("load", function more() { if (list(1000)) setTimeout(more); });

// ---- filters

const filters = $("filters");
const choices = { level: (c) => c.level, surface: (c) => c.surface, target: (c) => c.target, aspect: (c) => c.broken };
for (const [key, of] of Object.entries(choices)) {
  const values = new Set(cases.flatMap((c) => of(c) || []));
  for (const value of values) filters.elements[key].append(el("option", { value }, value));
  filters.elements[key].parentElement.hidden = values.size < (key === "aspect" ? 1 : 2);
}
// The text to search is built on the first search: most readers never search.
const haystacks = new Map();
function haystack(c) {
  if (!haystacks.has(c)) {
    const { reason, findings } = evidenceOf(c) || {};
    haystacks.set(c, JSON.stringify([c.id, c.headline, reason, findings]).toLowerCase());
  }
  return haystacks.get(c);
}
const cells = [...document.querySelectorAll("#matrix .cell")];
const rowsOf = [...document.querySelectorAll("#matrix tr[data-row]")];
const targetOf = (anchor) => decodeURIComponent(anchor.getAttribute("href").slice(1));

function filter() {
  list(cases.length);
  const verdicts = new Set([...filters.querySelectorAll("[name=verdict]:checked")].map((box) => box.value));
  const { level, surface, target, aspect, cause, text, differences } = filters.elements;
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const active = verdicts.size > 0 || level.value || surface.value || target.value || aspect.value || cause.value || words.length > 0;
  const fits = cases.filter((c) => (verdicts.size === 0 || verdicts.has(c.verdict)) &&
    (!level.value || c.level === level.value) && (!surface.value || c.surface === surface.value) &&
    (!target.value || c.target === target.value) && (!aspect.value || (c.broken || []).includes(aspect.value)) && (!cause.value || (c.causes || []).includes(Number(cause.value))) &&
    words.every((w) => haystack(c).includes(w)));
  const shown = new Set(fits);
  const lit = new Set(fits.map((c) => c.cell));
  const rows = new Set(fits.map((c) => c.row));
  for (const [c, item] of items) item.hidden = !shown.has(c);
  for (const cell of cells) cell.classList.toggle("dim", active && !(cell.hasAttribute("href") && lit.has(targetOf(cell))));
  for (const row of rowsOf) row.hidden = active && !rows.has(row.dataset.row) || differences?.checked && "same" in row.dataset;
  none.hidden = fits.length > 0;
  $("nothing").hidden = fits.length > 0;
  $("matrix").parentElement.hidden = fits.length === 0;
  $("found").textContent = active ? `${fits.length} of ${cases.length} cases` : "";
  $("clear").hidden = !active && !differences?.checked;
}

// choose sets the filter, and nothing else in it, and shows what it leaves.
function choose(values) {
  filters.reset();
  for (const [name, value] of Object.entries(values)) filters.elements[name].value = value;
  filter();
  filters.scrollIntoView({ block: "start" });
}
filters.addEventListener("input", () => whenRead(filter));
$("clear").addEventListener("click", () => { filters.reset(); filter(); filters.elements.text.focus(); });
for (const button of document.querySelectorAll("[data-aspect]")) {
  const column = filters.elements.target.length > 1 ? "target" : "surface";
  button.addEventListener("click", () => whenRead(() => {
    choose({ aspect: button.dataset.aspect, [column]: button.dataset.column });
    filters.elements.aspect.focus({ preventScroll: true });
  }));
}
filters.addEventListener("submit", (e) => e.preventDefault());
filters.hidden = cases.length === 0;
