"use strict";
// Everything a gateway wrote reaches the page as a text node: nothing here parses markup.
(() => {
  const $ = (id) => document.getElementById(id);
  const cases = JSON.parse($("data").textContent);
  const attention = new Set(["fail", "untestable", "error", "warn"]);
  const ranks = ["error", "untestable", "fail", "warn", "expected-fail", "not-offered", "pass"];

  // el makes an element; attributes by name, children as text or elements, empty ones left out.
  function el(tag, attributes, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (typeof value === "function") node.addEventListener(name, value);
      else if (value != null) node.setAttribute(name, value);
    }
    node.append(...children.flat().filter((c) => c != null && c !== ""));
    return node;
  }

  const mark = (c) => el("span", { class: "mark v-" + c.verdict, role: "img", "aria-label": c.verdict }, c.sign);
  const link = (id) => "#" + encodeURI(id).replace(/#/g, "%23");
  const here = () => {
    try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; }
  };

  // ---- theme

  const themes = ["auto", "light", "dark"];
  let chosen = "auto";
  function theme(name) {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    chosen = name;
    $("theme").textContent = "theme: " + name;
    $("theme").setAttribute("aria-label", "Colour theme: " + (name === "auto" ? "automatic" : name));
    try { localStorage.setItem("gatecert-theme", name); } catch { /* a page without storage forgets it */ }
  }
  let stored = null;
  try { stored = localStorage.getItem("gatecert-theme"); } catch { /* see above */ }
  theme(themes.includes(stored) ? stored : "auto");
  $("theme").addEventListener("click", () => theme(themes[(themes.indexOf(chosen) + 1) % themes.length]));

  // ---- the list of cases, those that need attention first

  const byUrgency = cases.map((c, i) => [c, i])
    .sort(([a, i], [b, j]) => ranks.indexOf(a.verdict) - ranks.indexOf(b.verdict) || i - j)
    .map(([c]) => c);
  const items = new Map();
  for (const c of byUrgency) {
    const item = el("li", { class: c.verdict === "pass" ? "passed" : null }, el("a", { href: link(c.id) },
      mark(c), el("code", {}, c.id), el("span", { class: "took" }, c.took), c.headline && el("span", { class: "about" }, c.headline)));
    items.set(c, item);
    $("list").append(item);
  }
  const none = el("li", { class: "none" }, "No case fits the filter.");
  none.hidden = cases.length > 0;
  $("list").append(none);

  // ---- filters

  const filters = $("filters");
  for (const key of ["level", "surface"]) {
    for (const value of new Set(cases.map((c) => c[key]))) filters.elements[key].append(el("option", { value }, value));
  }
  const haystack = new Map(cases.map((c) => [c, JSON.stringify([c.id, c.headline, c.reason, c.findings, c.scenario && c.scenario.name]).toLowerCase()]));
  const cells = [...document.querySelectorAll("#matrix .cell")];
  const rowsOf = [...document.querySelectorAll("#matrix tr[data-row]")];
  const targetOf = (anchor) => decodeURIComponent(anchor.getAttribute("href").slice(1));

  function filter() {
    const verdicts = new Set([...filters.querySelectorAll("[name=verdict]:checked")].map((box) => box.value));
    const { level, surface, text } = filters.elements;
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = verdicts.size > 0 || level.value || surface.value || words.length > 0;
    const fits = cases.filter((c) => (verdicts.size === 0 || verdicts.has(c.verdict)) &&
      (!level.value || c.level === level.value) && (!surface.value || c.surface === surface.value) &&
      words.every((w) => haystack.get(c).includes(w)));
    const shown = new Set(fits);
    const lit = new Set(fits.map((c) => c.cell));
    const rows = new Set(fits.map((c) => c.row));
    for (const [c, item] of items) item.hidden = !shown.has(c);
    for (const cell of cells) cell.classList.toggle("dim", active && !(cell.hasAttribute("href") && lit.has(targetOf(cell))));
    for (const row of rowsOf) row.hidden = active && !rows.has(row.dataset.row);
    none.hidden = fits.length > 0;
    $("found").textContent = active ? `${fits.length} of ${cases.length} cases` : "";
  }
  filters.addEventListener("input", filter);
  filters.addEventListener("submit", (e) => e.preventDefault());
  filters.hidden = cases.length === 0;

  // ---- evidence

  function copy(text) {
    const button = el("button", { type: "button", class: "quiet copy" }, "copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(button.closest("section").querySelector("pre"));
        button.textContent = "selected";
      }
    });
    return button;
  }

  const part = (title, aside, ...content) => el("section", {}, el("h4", {}, el("span", {}, title), aside), ...content);
  const small = (text) => text && el("small", {}, text);

  function table(head, rows, name) {
    return el("table", { class: name }, head && el("thead", {}, el("tr", {}, head.map((h) => el("th", { scope: "col" }, h)))), el("tbody", {}, rows));
  }

  function findings(c) {
    return c.findings && part("Findings", null, table(["", "obligation", "want", "got"], c.findings.map((f) => el("tr", {},
      el("td", { class: f.severity === "MUST" ? "MUST" : null }, f.severity), el("td", {}, f.obligation),
      el("td", {}, f.want), el("td", { class: "got" }, f.got))), "findings"));
  }

  function scenario(c) {
    const s = c.scenario;
    return s && part("Scenario", small(s.at), el("p", { class: "notes" }, s.name),
      el("ol", { class: "steps" }, s.steps.map(([status, text]) =>
        el("li", { class: ["passed", "failed"].includes(status) ? status : "skipped" }, el("span", {}, text, el("span", { class: "unseen" }, " (" + status + ")"))))));
  }

  function message(title, m) {
    return m && part(title, small(m.size), el("p", { class: "line" }, m.line),
      m.notes && el("p", { class: "notes" }, m.notes.join(" · ")),
      m.header && el("details", {}, el("summary", {}, m.header.length + (m.header.length === 1 ? " header field" : " header fields")),
        table(null, m.header.map(([name, value]) => el("tr", {}, el("td", { class: "mono" }, name), el("td", { class: "mono" }, value))))),
      m.body && el("pre", { tabindex: "0" }, m.body));
  }

  function stream(s) {
    return s && part("Stream events", small(s.events.length + (s.more || 0) + " events"),
      s.events.length > 0 && table(null, s.events.map((e) => el("tr", {},
        el("td", { class: "at" }, "+" + e.at), el("td", { class: "mono" }, e.name && el("b", {}, e.name + " "), e.data)))) || "",
      s.more && el("p", { class: "notes" }, "… and " + s.more + " more in the log"),
      s.violations && el("ul", {}, s.violations.map((v) => el("li", {}, v))),
      s.partial && el("p", { class: "notes" }, "left over after the last event:"), s.partial && el("pre", {}, s.partial));
  }

  function upstream(list) {
    if (!list) return null;
    if (list.length === 0) return part("What the upstream saw", null, el("p", {}, "Nothing: the request never reached it."));
    return part("What the upstream saw", small(list.length + (list.length === 1 ? " attempt" : " attempts")),
      table(null, list.map((a) => el("tr", {}, el("td", { class: "mono" }, a.call), el("td", {}, a.outcome), el("td", { class: "at" }, a.took)))));
  }

  function article(c) {
    const facts = [c.level, c.took, c.tries > 1 && c.tries + " tries"].filter(Boolean).join(" · ");
    return el("article", { class: "case", "data-case": c.id },
      el("h3", {}, mark(c), el("span", {}, c.circumstance + (c.variant ? " · " + c.variant : "")), small(facts)),
      el("p", { class: "id" }, el("a", { href: link(c.id) }, c.id)),
      c.reason && el("p", { class: "reason" }, c.reason),
      c.left_out && el("p", { class: "reason" }, c.headline, el("br"), "The evidence was left out to keep this page small; it is in run.ndjson."),
      findings(c),
      c.effects && part("Effects", null, el("ul", {}, c.effects.map((e) => el("li", {}, e)))),
      scenario(c), message("Request", c.sent), message("Answer", c.got), stream(c.stream), upstream(c.upstream),
      c.curl && part("Again", copy(c.curl), el("pre", { tabindex: "0" }, c.curl)));
  }

  // A hash names a row, a cell or a case; whatever it names is shown whole, the worst first.
  const named = (id) => byUrgency.filter((c) => c.row === id || c.cell === id || c.id === id);
  let opener = null;

  function open(id) {
    const found = named(id);
    if (found.length === 0) return close();
    const first = $("evidence").hidden;
    if (first) opener = document.activeElement;
    $("evidence-title").textContent = id;
    $("evidence-body").replaceChildren(...found.map(article));
    $("evidence").hidden = false;
    $("evidence").scrollTop = 0;
    document.body.classList.add("open");
    for (const a of document.querySelectorAll("[aria-current]")) a.removeAttribute("aria-current");
    const cell = [id, found[0].cell, found[0].row];
    const current = [...document.querySelectorAll("#matrix a")].find((a) => cell.slice(0, id === found[0].row ? 1 : 2).includes(targetOf(a)));
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

  // step goes to the next cell, in the order of the matrix, that needs attention and fits the filter.
  function step(by) {
    const stops = cells.filter((a) => a.hasAttribute("href") && !a.classList.contains("dim") && !a.closest("tr").hidden &&
      cases.some((c) => c.cell === targetOf(a) && attention.has(c.verdict)));
    if (stops.length === 0) return;
    const at = named(here())[0];
    const i = at ? stops.findIndex((a) => targetOf(a) === at.cell) : -1;
    const next = i < 0 ? (by > 0 ? 0 : stops.length - 1) : (i + by + stops.length) % stops.length;
    location.hash = stops[next].getAttribute("href");
  }

  addEventListener("hashchange", () => open(here()));
  $("close").addEventListener("click", leave);
  $("next").addEventListener("click", () => step(1));
  $("previous").addEventListener("click", () => step(-1));
  // A link to where the page already is changes no hash and still has to open.
  document.addEventListener("click", (e) => {
    const a = e.target.closest("a[href^='#']");
    if (a && a.getAttribute("href") === location.hash && a.id !== "skip") open(here());
  });

  // ---- keys: Escape, j and k; the arrows walk the matrix, which is one stop for Tab

  const grid = rowsOf.map((row) => [...row.querySelectorAll("a")]);
  const anchors = grid.flat();
  for (const a of anchors) a.tabIndex = -1;
  if (anchors.length > 0) anchors[0].tabIndex = 0;
  $("matrix").addEventListener("focusin", (e) => {
    if (!anchors.includes(e.target)) return;
    for (const a of anchors) a.tabIndex = a === e.target ? 0 : -1;
  });
  $("matrix").addEventListener("keydown", (e) => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!moves[e.key] || !anchors.includes(e.target)) return;
    e.preventDefault();
    const cellAt = (td) => [...td.parentNode.children].indexOf(td);
    const td = e.target.closest("th, td");
    const [down, across] = moves[e.key];
    let row = td.parentNode, column = cellAt(td);
    do {
      if (down) {
        const rows = rowsOf.filter((r) => !r.hidden);
        row = rows[rows.indexOf(row) + down];
      } else column += across;
      const to = row && row.children[column];
      if (!to) return;
      const a = to.querySelector("a");
      if (a) return a.focus();
    } while (true);
  });
  document.addEventListener("keydown", (e) => {
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    if (e.key === "Escape" && !$("evidence").hidden) return leave();
    if (e.target.matches("input, select, textarea")) return;
    if (e.key === "j") step(1);
    if (e.key === "k") step(-1);
  });

  if (here()) open(here());
})();
