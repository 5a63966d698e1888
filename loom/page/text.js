// A definition as text that people edit, with the line of every part of it: JSON, one node and one edge a line.

// What stands on one line: nodes and edges, and whatever is short.
const WIDE = 110;

export function write(value, indent = 0, path = []) {
  const flat = inline(value);
  const isEntry = path.length === 3 && path[0] === "graph" && (path[1] === "nodes" || path[1] === "edges");
  if (
    value === null ||
    typeof value !== "object" ||
    isEntry ||
    (flat.length + indent < WIDE && path.length > 0 && !isLong(path))
  )
    return flat;
  const inner = " ".repeat(indent + 2),
    end = `\n${" ".repeat(indent)}`;
  if (Array.isArray(value)) {
    return value.length
      ? `[\n${value.map((one, at) => inner + write(one, indent + 2, [...path, at])).join(",\n")}${end}]`
      : "[]";
  }
  const fields = inOrder(value).map(
    ([name, one]) => `${inner}${JSON.stringify(name)}: ${write(one, indent + 2, [...path, name])}`,
  );
  return fields.length ? `{\n${fields.join(",\n")}${end}}` : "{}";
}

// The order in which people write a definition; the server's is that of the alphabet.
const ORDER = [
  "schema_version",
  "name",
  "description",
  "priority",
  "enabled",
  "dry_run",
  "match",
  "graph",
  "nodes",
  "edges",
  "id",
  "operator",
  "config",
  "from",
  "to",
  "branch",
  "node",
  "port",
];

function inOrder(value) {
  const rank = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return Object.entries(value).sort(([a], [b]) => rank(a) - rank(b));
}

function isLong(path) {
  return path[0] === "graph" && (path.length === 1 || path[1] === "nodes" || path[1] === "edges");
}

function inline(value) {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const fields = inOrder(value).map(([name, one]) => `${JSON.stringify(name)}: ${inline(one)}`);
  return `{${fields.join(", ")}}`;
}

// Reads JSON: {value, lines} with the line (from 1) of every part by its path joined with "/", or {problem, line}.
export function read(text) {
  const reader = new Reader(text);
  try {
    const value = reader.value([]);
    reader.space();
    if (reader.at < text.length) reader.fail("nothing more is expected here");
    return { value, lines: reader.lines };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { problem: error.message, line: reader.line() };
  }
}

class Reader {
  constructor(text) {
    Object.assign(this, { text, at: 0, lines: new Map(), lineAt: 0, lineNow: 1 });
  }

  line() {
    for (; this.lineAt < Math.min(this.at, this.text.length); this.lineAt += 1) {
      if (this.text[this.lineAt] === "\n") this.lineNow += 1;
    }
    return this.lineNow;
  }

  fail(message) {
    throw new SyntaxError(message);
  }

  space() {
    while (/\s/.test(this.text[this.at] ?? "x")) this.at += 1;
  }

  expect(sign, what) {
    this.space();
    if (this.text[this.at] !== sign) this.fail(`${what} is expected here`);
    this.at += 1;
  }

  value(path) {
    this.space();
    this.lines.set(path.join("/"), this.line());
    const sign = this.text[this.at];
    if (sign === "{") return this.object(path);
    if (sign === "[") return this.array(path);
    const match = /"(?:[^"\\\n]|\\.)*"|[-+.\w]+/y;
    match.lastIndex = this.at;
    const found = match.exec(this.text);
    if (!found) this.fail(sign === undefined ? "the text ends too early" : "a value is expected here");
    let value;
    try {
      value = JSON.parse(found[0]);
    } catch {
      this.fail(`${found[0].slice(0, 30)} is no JSON value`);
    }
    this.at = match.lastIndex;
    return value;
  }

  object(path) {
    const value = {};
    this.at += 1;
    this.space();
    if (this.text[this.at] === "}") {
      this.at += 1;
      return value;
    }
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.fail("a name in double quotes is expected here");
      const name = this.value([...path, "?"]);
      this.expect(":", "a colon");
      value[name] = this.value([...path, name]);
      this.space();
      if (this.text[this.at] === "}") {
        this.at += 1;
        return value;
      }
      this.expect(",", "a comma or }");
    }
  }

  array(path) {
    const value = [];
    this.at += 1;
    this.space();
    if (this.text[this.at] === "]") {
      this.at += 1;
      return value;
    }
    for (;;) {
      value.push(this.value([...path, value.length]));
      this.space();
      if (this.text[this.at] === "]") {
        this.at += 1;
        return value;
      }
      this.expect(",", "a comma or ]");
    }
  }
}

// The line that a diagnostic is about; 1 for the definition as a whole.
export function lineOf({ node, edge, field }, { value, lines }) {
  const nodes = value?.graph?.nodes ?? value?.nodes ?? [];
  const root = value?.graph ? ["graph"] : [];
  let path = [];
  if (node !== null && node !== undefined && Array.isArray(nodes)) {
    const index = nodes.findIndex((one) => one?.id === node);
    if (index >= 0) path = [...root, "nodes", index];
  } else if (edge !== null && edge !== undefined) path = [...root, "edges", edge];
  const named = field ? field.replaceAll("[", ".").replaceAll("]", "").split(".").filter(Boolean) : [];
  for (let most = named.length; most >= 0; most -= 1) {
    const line = lines.get([...path, ...named.slice(0, most)].join("/"));
    if (line !== undefined && (most || path.length)) return line;
  }
  return lines.get(path.join("/")) ?? 1;
}
