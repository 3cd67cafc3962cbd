// The texts of the page in another language: those in the catalogue, wherever they stand. What quotes a gateway stays as it is.
const sentences = new Map(catalogue.sentences);
const phrases = catalogue.phrases.map(([pattern, parts, places]) => [new RegExp(pattern, "s"), parts, places]);
const said = new Map();

function known(text) {
  if (sentences.has(text)) return sentences.get(text);
  for (let at = text.indexOf(". "); at >= 0; at = text.indexOf(". ", at + 1)) {
    const first = sentences.get(text.slice(0, at + 1));
    if (first !== undefined) return first + say(text.slice(at + 2));
  }
  const colon = text.indexOf(": ");
  for (const [i, [pattern, parts, places]] of phrases.entries()) {
    if (i === catalogue.vague && colon > 0 && sentences.has(text.slice(0, colon))) return sentences.get(text.slice(0, colon)) + "：" + say(text.slice(colon + 2));
    const match = pattern.exec(text);
    const texts = match && places.map((number) => place(match, number));
    if (match && (i < catalogue.vague || texts.some((text, n) => text !== match[places[n]]))) {
      return parts.reduce((out, part, n) => out + part + (n < texts.length ? texts[n] : ""), "");
    }
  }
  return undefined;
}

// place is what stands in a place of a phrase. A text that stays as it is has a name, and a gateway's words are quoted.
function place(match, number) {
  const text = match[number];
  return Object.values(match.groups ?? {}).includes(text) || text.startsWith('"') ? text : say(text);
}

function say(text) {
  if (!/[A-Za-z]/.test(text) || text.length > 2000) return text;
  if (!said.has(text)) said.set(text, known(text) ?? text);
  return said.get(text);
}

const quotes = "pre, code, script, style, bdi:not(.title, .about bdi, #causes dd bdi), .mono, .got, .findings, .notes, .id";

function translated(value) {
  const core = value.trim();
  if (!core) return value;
  const other = say(core);
  return other === core ? value : value.replace(core, () => other);
}

function translate(root) {
  if (root.nodeType === Node.TEXT_NODE) {
    const value = translated(root.nodeValue);
    if (value !== root.nodeValue && !root.parentElement?.closest(quotes)) root.nodeValue = value;
    return;
  }
  if (root.nodeType !== Node.ELEMENT_NODE) return;
  for (const node of [root, ...root.querySelectorAll("[title], [aria-label], [placeholder]")]) {
    for (const name of ["title", "aria-label", "placeholder"]) {
      const value = node.getAttribute(name);
      if (value && say(value) !== value) node.setAttribute(name, say(value));
    }
  }
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    if (!node.parentElement.closest(quotes)) translate(node);
  }
}

document.documentElement.lang = catalogue.lang;
translate(document.body);
new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === "attributes") translate(change.target);
    for (const node of change.addedNodes) translate(node);
  }
}).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-label", "title"] });
