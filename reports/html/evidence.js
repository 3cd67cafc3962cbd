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

function findings(e) {
  return e.findings && part("Findings", null, table(["", "Requirement", "Expected", "Got"], e.findings.map((f) => {
    const [want, got] = diff(f.want, f.got);
    return el("tr", {}, el("td", { class: f.level === "MUST" ? "MUST" : null }, f.level), el("td", {}, f.requirement),
      el("td", {}, want), el("td", { class: "got" }, got));
  }), "findings"));
}

function scenario(e) {
  const s = e.scenario;
  return s && el("details", {}, el("summary", {}, "Scenario ", small(data().texts[s.at[0]] + ":" + s.at[1])), s.name && el("p", { class: "notes" }, s.name),
    el("ol", { class: "steps" }, s.steps.map(([status, text]) =>
      el("li", { class: ["passed", "warned", "failed"].includes(status) ? status : "untested" }, el("span", {}, data().texts[text], el("span", { class: "unseen" }, " (" + status + ")"))))));
}

function message(title, m, folded) {
  const [status, ...rest] = m ? m.line.split(/(?= )/) : [];
  const texts = data().texts;
  const body = m && (m.body || m.marked || m.after) && el("pre", { tabindex: "0" }, m.body, m.marked && el("mark", {}, m.marked), m.after);
  return m && part(title, small(m.size), el("p", { class: "line" }, m.status ? el("mark", {}, status) : status, ...rest),
    m.notes && el("p", { class: "notes" }, m.notes.join(" · ")),
    m.header && el("details", { open: m.header.some(([name]) => texts[name] === m.field) ? "" : null }, el("summary", {}, m.header.length + (m.header.length === 1 ? " header field" : " header fields")),
      table(null, m.header.map(([name, value]) => el("tr", {}, el("td", { class: "mono" }, data().texts[name]), el("td", { class: "mono" }, texts[name] === m.field ? el("mark", {}, texts[value]) : texts[value]))))),
    m.field && !(m.header || []).some(([name]) => texts[name] === m.field) && el("p", { class: "notes" }, "no header field ", el("mark", {}, m.field)),
    body && (folded && !m.marked ? el("details", {}, el("summary", {}, "raw body"), body) : body));
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
  if (list.length === 0) return part("Upstream requests", null, el("p", {}, "None. The request did not reach the upstream."));
  return part("Upstream requests", small(list.length + (list.length === 1 ? " request" : " requests")),
    table(null, list.map((a) => el("tr", {}, el("td", { class: "mono" }, a.call), el("td", {}, a.outcome), el("td", { class: "at" }, a.took)))));
}

function sections(e) {
  const list = (texts) => el("ul", {}, texts.map((text) => el("li", {}, text)));
  return [e.reason && el("p", { class: "reason" }, e.reason), findings(e),
    e.load && part("Load", null, list(e.load)), e.effects && part("Effects", null, list(e.effects)),
    message("Response", e.response, e.stream), stream(e.stream), message("Request", e.request), upstream(e.upstream),
    e.trace && part("Trace", e.trace.request ? small("X-Request-Id: " + e.trace.request) : null,
      el("p", {}, e.trace.url ? el("a", { href: e.trace.url, rel: "noreferrer" }, e.trace.id) : el("code", {}, e.trace.id))),
    e.curl && part("Reproduce", e.curl_cut ? small("cut: the complete command is in run.ndjson") : copy(e.copy ? decode(e.copy) : e.curl), el("pre", { tabindex: "0" }, e.curl)), scenario(e)];
}

function article(c) {
  const e = evidenceOf(c);
  const facts = [c.level, c.took, c.tries > 1 && c.tries + " tries"].filter(Boolean).join(" · ");
  return el("article", { class: "case", "data-case": c.id },
    el("h3", {}, mark(c), el("span", {}, c.circumstance + (c.variant ? " · " + c.variant : "")), small(facts)),
    el("p", { class: "id" }, el("a", { href: link(c.id) }, c.id)),
    e ? sections(e) : el("p", { class: "reason" }, c.headline, el("br"), "To keep this page small, the evidence was left out. See run.ndjson."));
}

// rule shows the row of the contract.
function rule(id, unfolded) {
  const r = data().rules[id];
  if (!r) return "";
  const details = el("details", { class: "rule" }, el("summary", {}, "Contract: ", el("b", {}, r.title)),
    el("dl", {}, r.facts.map(([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text)))),
    r.circumstances.map((c) => el("div", {}, el("p", {}, el("code", {}, c.id), " ", small("needs " + c.needs)), el("p", {}, c.sentence),
      c.variants.some(([name]) => name) && el("ul", {}, c.variants.map(([name, text]) => el("li", {}, el("code", {}, name), " " + text))))));
  details.open = unfolded;
  return details;
}
