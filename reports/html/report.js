"use strict";
// Text from a gateway reaches the page only as text nodes: nothing here parses markup.
(() => {
  const $ = (id) => document.getElementById(id);
  const { cases, texts, rules, left } = JSON.parse($("data").textContent);
  const attention = new Set(["fail", "untestable", "error", "warn"]);
  const ranks = ["error", "untestable", "fail", "warn", "expected-fail", "not-offered", "pass"];

  // el creates an element with attributes and with children (text or elements), without empty ones.
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
    try { localStorage.setItem("gatecert-theme", name); } catch { /* without storage the choice lasts until the page is closed */ }
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
  const none = el("li", { class: "none" }, "No case matches the filter.");
  none.hidden = cases.length > 0;
  $("list").append(none);
  if (left) $("list").append(el("li", { class: "none" }, `${left} more cases are in run.ndjson. This page has no room for them.`));

  // ---- filters

  const filters = $("filters");
  for (const key of ["level", "surface", "target"]) {
    const values = new Set(cases.map((c) => c[key]).filter(Boolean));
    for (const value of values) filters.elements[key].append(el("option", { value }, value));
    filters.elements[key].parentElement.hidden = values.size < 2;
  }
  // The text to search is built on the first search: most readers never search.
  const haystacks = new Map();
  function haystack(c) {
    if (!haystacks.has(c)) haystacks.set(c, JSON.stringify([c.id, c.headline, c.reason, c.findings]).toLowerCase());
    return haystacks.get(c);
  }
  const cells = [...document.querySelectorAll("#matrix .cell")];
  const rowsOf = [...document.querySelectorAll("#matrix tr[data-row]")];
  const targetOf = (anchor) => decodeURIComponent(anchor.getAttribute("href").slice(1));

  function filter() {
    const verdicts = new Set([...filters.querySelectorAll("[name=verdict]:checked")].map((box) => box.value));
    const { level, surface, target, text } = filters.elements;
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = verdicts.size > 0 || level.value || surface.value || target.value || words.length > 0;
    const fits = cases.filter((c) => (verdicts.size === 0 || verdicts.has(c.verdict)) &&
      (!level.value || c.level === level.value) && (!surface.value || c.surface === surface.value) &&
      (!target.value || c.target === target.value) &&
      words.every((w) => haystack(c).includes(w)));
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

  // copy puts text on the clipboard. If the browser refuses, it selects the text that is shown.
  function copy(text) {
    const button = el("button", { type: "button", class: "button copy" }, "copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "copied";
      } catch {
        const area = el("textarea", { class: "unseen" });
        area.value = text;
        button.after(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        if (!done) getSelection().selectAllChildren(button.closest("section").querySelector("pre"));
        button.textContent = done ? "copied" : "selected";
      }
    });
    return button;
  }

  const decode = (base64) => new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
  const part = (title, note, ...content) => el("section", {}, el("h4", {}, el("span", {}, title), note), ...content);
  const small = (text) => text && el("small", {}, text);

  function table(head, rows, name) {
    return el("table", { class: name }, head && el("thead", {}, el("tr", {}, head.map((h) => el("th", { scope: "col" }, h)))), el("tbody", {}, rows));
  }

  // diff marks the words of two texts that are not in their longest common subsequence. It marks nothing in very long texts,
  // and in texts that share less than half of their words: there everything differs.
  function diff(want, got) {
    const [a, b] = [want, got].map((text) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) || []);
    if (a.length * b.length > 40000) return [[want], [got]];
    const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i--) {
      for (let j = b.length - 1; j >= 0; j--) {
        common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
      }
    }
    const parts = [[], []];
    const push = (side, word, tag) => {
      const last = parts[side].at(-1);
      if (last && last.tag === tag) last.text += word;
      else parts[side].push({ tag, text: word });
    };
    const isWord = (token) => /[\p{L}\p{N}]/u.test(token);
    const words = [...a, ...b].filter(isWord).length;
    let shared = 0;
    for (let i = 0, j = 0; i < a.length || j < b.length;) {
      if (i < a.length && j < b.length && a[i] === b[j]) {
        if (isWord(a[i])) shared += 2;
        push(0, a[i++], null);
        push(1, b[j++], null);
      } else if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) push(0, a[i++], "del");
      else push(1, b[j++], "ins");
    }
    if (shared * 2 < words) return [[want], [got]];
    return parts.map((side) => side.map((p) => (p.tag ? el(p.tag, {}, p.text) : p.text)));
  }

  function findings(c) {
    return c.findings && part("Findings", null, table(["", "requirement", "want", "got"], c.findings.map((f) => {
      const [want, got] = diff(f.want, f.got);
      return el("tr", {}, el("td", { class: f.level === "MUST" ? "MUST" : null }, f.level), el("td", {}, f.requirement),
        el("td", {}, want), el("td", { class: "got" }, got));
    }), "findings"));
  }

  function scenario(c) {
    const s = c.scenario;
    return s && part("Scenario", small(texts[s.at[0]] + ":" + s.at[1]), s.name && el("p", { class: "notes" }, s.name),
      el("ol", { class: "steps" }, s.steps.map(([status, text]) =>
        el("li", { class: ["passed", "warned", "failed"].includes(status) ? status : "untested" }, el("span", {}, texts[text], el("span", { class: "unseen" }, " (" + status + ")"))))));
  }

  function message(title, m, folded) {
    return m && part(title, small(m.size), el("p", { class: "line" }, m.line),
      m.notes && el("p", { class: "notes" }, m.notes.join(" · ")),
      m.header && el("details", {}, el("summary", {}, m.header.length + (m.header.length === 1 ? " header field" : " header fields")),
        table(null, m.header.map(([name, value]) => el("tr", {}, el("td", { class: "mono" }, texts[name]), el("td", { class: "mono" }, texts[value]))))),
      m.body && (folded ? el("details", {}, el("summary", {}, "raw body"), el("pre", { tabindex: "0" }, m.body)) : el("pre", { tabindex: "0" }, m.body)));
  }

  // svg creates an SVG element. It sets attributes and no styles, which the page's policy forbids.
  function svg(tag, attributes, ...children) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }

  // timeline draws a call from its first byte sent to its end: the wait in grey, one stroke per event.
  function timeline(s) {
    const label = `${s.events.length} events over ${s.whole}`;
    return svg("svg", { class: "timeline", viewBox: "0 0 100 12", preserveAspectRatio: "none", role: "img", "aria-label": label },
      svg("rect", { class: "wait", x: 0, y: 5, width: s.first, height: 2 }),
      svg("rect", { class: "flow", x: s.first, y: 5, width: Math.max(100 - s.first, 0), height: 2 }),
      ...s.events.map((e) => svg("rect", { class: "event", x: Math.min(e.part, 99.4), y: 1, width: 0.6, height: 10 },
        svg("title", {}, "+" + e.at + (e.name ? " " + e.name : "")))));
  }

  function stream(s) {
    return s && part("Stream events", small(s.events.length + (s.more || 0) + " events in " + s.whole),
      s.events.length > 0 && timeline(s) || "",
      s.events.length > 0 && table(null, s.events.map((e) => el("tr", {},
        el("td", { class: "at" }, "+" + e.at), el("td", { class: "mono" }, e.name && el("b", {}, e.name + " "), e.data)))) || "",
      s.more && el("p", { class: "notes" }, "… and " + s.more + " more in the log"),
      s.violations && el("ul", {}, s.violations.map((v) => el("li", {}, v))),
      s.partial && el("p", { class: "notes" }, "bytes after the last event:"), s.partial && el("pre", {}, s.partial));
  }

  function upstream(list) {
    if (!list) return null;
    if (list.length === 0) return part("Upstream requests", null, el("p", {}, "None: the request did not reach the upstream."));
    return part("Upstream requests", small(list.length + (list.length === 1 ? " request" : " requests")),
      table(null, list.map((a) => el("tr", {}, el("td", { class: "mono" }, a.call), el("td", {}, a.outcome), el("td", { class: "at" }, a.took)))));
  }

  function article(c) {
    const facts = [c.level, c.took, c.tries > 1 && c.tries + " tries"].filter(Boolean).join(" · ");
    return el("article", { class: "case", "data-case": c.id },
      el("h3", {}, mark(c), el("span", {}, c.circumstance + (c.variant ? " · " + c.variant : "")), small(facts)),
      el("p", { class: "id" }, el("a", { href: link(c.id) }, c.id)),
      c.reason && el("p", { class: "reason" }, c.reason),
      c.left_out && el("p", { class: "reason" }, c.headline, el("br"), "The evidence was left out to keep this page small. It is in run.ndjson."),
      findings(c),
      c.load && part("Load", null, el("ul", {}, c.load.map((e) => el("li", {}, e)))),
      c.effects && part("Effects", null, el("ul", {}, c.effects.map((e) => el("li", {}, e)))),
      scenario(c), message("Request", c.request), message("Response", c.response, c.stream), stream(c.stream), upstream(c.upstream),
      c.curl && part("Reproduce", c.curl_cut ? small("cut: the complete command is in run.ndjson") : copy(c.copy ? decode(c.copy) : c.curl), el("pre", { tabindex: "0" }, c.curl)));
  }

  // rule shows the row of the contract.
  function rule(id, unfolded) {
    const r = rules[id];
    if (!r) return "";
    const details = el("details", { class: "rule" }, el("summary", {}, "Contract: ", el("b", {}, r.title)),
      el("dl", {}, r.facts.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text)))),
      r.circumstances.map((c) => el("div", {}, el("p", {}, el("code", {}, c.id), " ", small("needs " + c.needs)), el("p", {}, c.sentence),
        c.variants.some(([name]) => name) && el("ul", {}, c.variants.map(([name, text]) => el("li", {}, el("code", {}, name), " " + text))))));
    details.open = unfolded;
    return details;
  }

  // A hash names a row, a cell or a case. All cases that it names are shown, the worst first.
  const named = (id) => byUrgency.filter((c) => c.row === id || c.cell === id || c.id === id);
  let opener = null;

  function open(id) {
    const found = named(id);
    const row = found.length > 0 ? found[0].row : id;
    if (found.length === 0 && !rules[id]) return close();
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

  addEventListener("hashchange", () => open(here()));
  $("close").addEventListener("click", leave);
  $("next").addEventListener("click", () => step(1));
  $("previous").addEventListener("click", () => step(-1));
  // A link to the current hash does not change it, and still has to open.
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
