// What all adapters in this folder share: the lines of docs/clients.md, and texts from the fields of an error.
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';

const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;

// Standard output is for lines of the protocol alone: a library that logs must not break them.
const out = process.stdout.write.bind(process.stdout);
console.log = console.info = console.warn = console.debug = console.error;
const send = (line) => out(JSON.stringify(line) + '\n');

/** text is a value as a text that fits into a line, or undefined where it is none. */
const text = (v) => (typeof v === 'string' ? v.slice(0, 2000) : typeof v === 'number' ? String(v) : undefined);

/** pick reads expressions such as "err.error.code" from an error. */
const pick = (err, paths) => {
  const found = {};
  for (const path of paths) {
    let v = err;
    for (const name of path.split('.').slice(1)) v = v?.[name];
    if (text(v) !== undefined) found[path] = text(v);
  }
  return found;
};

/** strings are all texts inside a body that the library left unparsed: a string of JSON, or an object without a type. */
const strings = (v, path, found = {}, depth = 0) => {
  if (typeof v === 'string' && depth === 0) {
    try { v = JSON.parse(v); } catch { return found; }
  }
  if (depth > 5 || Object.keys(found).length > 30) return found;
  if (v && typeof v === 'object') for (const k of Object.keys(v)) strings(v[k], `${path}.${k}`, found, depth + 1);
  else if (text(v) !== undefined) found[path] = text(v);
  return found;
};

/**
 * serve runs an adapter. call makes one call and resolves to its text; onText is called with what a stream has delivered.
 * typed says whether an error is of the library's own classes, fields which expressions read its fields, raw where it keeps the body.
 */
export const serve = ({ name, surfaces, call, typed, fields, status = (e) => e.status, raw = () => ({}) }) => {
  send({ protocol: 1, package: name, version: version(name), runtime: `node ${process.versions.node}`, surfaces, parallel: 8 });
  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const ask = JSON.parse(line);
    let delivered = '';
    const onText = (t) => { if (t) delivered = (delivered + t).slice(0, 2000); };
    try {
      onText(await call(ask, onText));
      send({ id: ask.id, ok: true, text: delivered });
    } catch (err) {
      const own = typed(err);
      send({
        id: ask.id, ok: false, class: err?.constructor?.name ?? typeof err, typed: own, status: status(err) ?? 0,
        message: String(err?.message ?? err).slice(0, 2000), fields: pick(err, fields), raw: raw(err, strings) ?? {}, text: delivered,
      });
    }
  });
  lines.on('close', () => process.exit(0));
  // A library that lets an error escape must not end the calls beside it: that call has no end, which gatecert reports.
  process.on('unhandledRejection', (err) => console.error(String(err)));
  process.on('uncaughtException', (err) => console.error(String(err)));
};
