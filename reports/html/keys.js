// ---- keys: Escape, j and k; the arrows walk the matrix, which is one stop for Tab

function walk(table, lines) {
  const anchors = new Set(lines.flatMap((row) => [...row.querySelectorAll("a")]));
  let stop = null;
  table.addEventListener("focusin", (e) => {
    if (!anchors.has(e.target)) return;
    // On its way through the page Tab comes to the table once, whichever of its links it meets first.
    if (stop) stop.tabIndex = -1;
    else for (const a of anchors) a.tabIndex = -1;
    stop = e.target;
    stop.tabIndex = 0;
  });
  table.addEventListener("keydown", (e) => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!moves[e.key] || !anchors.has(e.target)) return;
    e.preventDefault();
    const td = e.target.closest("th, td");
    const [down, across] = moves[e.key];
    let row = td.parentNode, column = [...row.children].indexOf(td);
    do {
      if (down) {
        const rows = lines.filter((r) => !r.hidden);
        row = rows[rows.indexOf(row) + down];
      } else column += across;
      const to = row && row.children[column];
      if (!to) return;
      const a = to.querySelector("a");
      if (a) return a.focus();
    } while (true);
  });
}
walk($("matrix"), rowsOf);
if ($("callers-matrix")) walk($("callers-matrix"), [...document.querySelectorAll("#callers-matrix tr[data-row]")]);
document.addEventListener("keydown", (e) => {
  if (e.altKey || e.ctrlKey || e.metaKey) return;
  if (e.key === "Escape" && !$("evidence").hidden) return leave();
  if (e.target.matches("input, select, textarea")) return;
  if (e.key === "j") step(1);
  if (e.key === "k") step(-1);
});

if (here()) show();
