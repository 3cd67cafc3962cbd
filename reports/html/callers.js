// ---- tabs: what the gateway does, and what its callers do

const tabs = [...document.querySelectorAll("[role=tab]")];
const panelOf = (tab) => $(tab.getAttribute("aria-controls"));
const ofCallers = () => here() === "callers" || here().startsWith("callers/");

function turn(to) {
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", tab === to);
    tab.tabIndex = tab === to ? 0 : -1;
    panelOf(tab).hidden = tab !== to;
  }
}

// reach shows the tab that the address names, and the row in it.
function reach() {
  if (tabs.length === 0 || !ofCallers()) return;
  turn(tabs[1]);
  const row = document.getElementById(here());
  row?.scrollIntoView({ block: "start" });
  if (row?.matches(".said")) row.focus({ preventScroll: true });
}

for (const [i, tab] of tabs.entries()) {
  tab.addEventListener("click", () => {
    turn(tab);
    history.replaceState(null, "", i === 0 ? location.pathname + location.search : "#callers");
  });
  tab.addEventListener("keydown", (e) => {
    const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: tabs.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
}
if (tabs.length > 0) {
  tabs[0].parentElement.hidden = false;
  turn(tabs[0]);
  addEventListener("hashchange", reach);
  // A link to a row that the address already names does not change it.
  $("callers").addEventListener("click", (e) => { if (e.target.closest("a")?.getAttribute("href") === location.hash) reach(); });
  addEventListener("beforeprint", () => { for (const tab of tabs) panelOf(tab).hidden = false; });
  addEventListener("afterprint", () => turn(tabs.find((tab) => tab.getAttribute("aria-selected") === "true")));
  whenRead(reach);
}
