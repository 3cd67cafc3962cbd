// Text from a gateway reaches the page only as text nodes: nothing here parses markup.
const $ = (id) => document.getElementById(id);
const { cases, left } = JSON.parse($("cases-data").textContent);
cases.forEach((c, place) => { c.place = place; });

// The evidence is most of the page. It comes last, and is read when somebody first asks for it.
let read = null;
const data = () => (read ??= JSON.parse($("evidence-data").textContent));
const evidenceOf = (c) => data().evidence[c.place];
function whenRead(act) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act, { once: true });
  else act();
}

// el creates an element with attributes and with children (text or elements), without empty ones.
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((c) => c != null && c !== "" && c !== false));
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
