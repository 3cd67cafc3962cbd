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
