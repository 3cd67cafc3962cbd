// ---- the panel that shows evidence

// A hash names a row, a cell or a case. All cases that it names are shown, the worst first.
const named = (id) => byUrgency.filter((c) => c.row === id || c.cell === id || c.id === id);
let opener = null;

function open(id) {
  const found = named(id);
  const row = found.length > 0 ? found[0].row : id;
  if (found.length === 0 && !data().rules[id]) return close();
  const first = $("evidence").hidden;
  if (first) opener = document.activeElement;
  $("evidence-title").textContent = id;
  $("evidence-body").replaceChildren(rule(row, id === row), ...found.map(article));
  if (found.length === 0) $("evidence-body").append(el("p", { class: "notes" }, "No case of this row ran."));
  $("evidence").hidden = false;
  $("evidence").scrollTop = 0;
  document.body.classList.add("open");
  for (const a of document.querySelectorAll("[aria-current]")) a.removeAttribute("aria-current");
  const current = [...document.querySelectorAll("#matrix a")].find((a) => targetOf(a) === (id === row ? row : found[0].cell));
  if (current) {
    current.setAttribute("aria-current", "true");
    current.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  $("evidence").focus({ preventScroll: true });
}

function close() {
  if ($("evidence").hidden) return;
  $("evidence").hidden = true;
  document.body.classList.remove("open");
  for (const a of document.querySelectorAll("[aria-current]")) a.removeAttribute("aria-current");
  if (opener && opener.isConnected) opener.focus({ preventScroll: true });
}

function leave() {
  history.replaceState(null, "", location.pathname + location.search);
  close();
}

const attention = new Set(["fail", "untestable", "error", "warn"]);

// step goes to the next cell, in matrix order, that needs attention and matches the filter.
function step(by) {
  const stops = cells.filter((a) => a.hasAttribute("href") && !a.classList.contains("dim") && !a.closest("tr").hidden &&
    cases.some((c) => c.cell === targetOf(a) && attention.has(c.verdict)));
  if (stops.length === 0) return;
  const at = named(here())[0];
  const i = at ? stops.findIndex((a) => targetOf(a) === at.cell) : -1;
  const next = i < 0 ? (by > 0 ? 0 : stops.length - 1) : (i + by + stops.length) % stops.length;
  location.hash = stops[next].getAttribute("href");
}

const show = () => whenRead(() => open(here()));
addEventListener("hashchange", show);
$("close").addEventListener("click", leave);
$("next").addEventListener("click", () => step(1));
$("previous").addEventListener("click", () => step(-1));
// A link to the current hash does not change it, and still has to open.
document.addEventListener("click", (e) => {
  const a = e.target.closest("a[href^='#']");
  if (a && a.getAttribute("href") === location.hash && a.id !== "skip") show();
});

// ---- print: the cases that need attention with request and answer

const printed = 100; // cases with evidence: more would be hundreds of pages
addEventListener("beforeprint", () => {
  list(cases.length);
  const urgent = [...items].filter(([c, item]) => !item.hidden && attention.has(c.verdict));
  for (const [c, item] of urgent.slice(0, printed)) item.append(article(c));
  if (urgent.length > printed) urgent[printed][1].prepend(el("p", { class: "case none" }, `The evidence of ${urgent.length - printed} more cases is not printed. To print other cases, filter the list first.`));
});
addEventListener("afterprint", () => { for (const node of document.querySelectorAll("#list .case")) node.remove(); });
