// Where the nodes of a pipeline stand: columns by depth from the source, rows by where their edges come from.

export const NODE = { width: 216, height: 116, plain: 88, along: 84, across: 28, margin: 16 };

// `nodes`: ids in the definition's order; `edges`: {from, to}; `isDown`: from top to bottom instead of left to right.
// Answers places by id and the size of the whole.
export function layout(ids, edges, { height = NODE.height, isDown = false } = {}) {
  const depths = depthsOf(ids, edges);
  const byDepth = [];
  for (const id of ids) (byDepth[depths.get(id)] ??= []).push(id);
  const columns = byDepth.filter(Boolean);
  const rows = new Map();
  for (const column of columns) order(column, edges, rows);
  const most = Math.max(1, ...columns.map((column) => column.length));
  const [deep, broad] = isDown ? [height, NODE.width] : [NODE.width, height];
  const along = (depth) => NODE.margin + depth * (deep + (isDown ? NODE.along / 1.5 : NODE.along));
  const across = (row, count) => NODE.margin + (row + (most - count) / 2) * (broad + NODE.across);
  const places = new Map();
  columns.forEach((column, depth) =>
    column.forEach((id, row) => {
      const [x, y] = isDown ? [across(row, column.length), along(depth)] : [along(depth), across(row, column.length)];
      places.set(id, { x, y });
    }),
  );
  const length = along(columns.length - 1) + deep + NODE.margin,
    breadth = across(most - 1, most) + broad + NODE.margin;
  return { places, width: isDown ? breadth : length, height: isDown ? length : breadth };
}

// The longest way from a node that nothing leads to; what lies on a circle stands where the circle was entered.
function depthsOf(ids, edges) {
  const depths = new Map(ids.map((id) => [id, 0]));
  for (let round = 0; round < ids.length; round += 1) {
    let moved = false;
    for (const { from, to } of edges) {
      const depth = (depths.get(from) ?? -1) + 1;
      if (depths.has(to) && depth > depths.get(to) && depth < ids.length) {
        depths.set(to, depth);
        moved = true;
      }
    }
    if (!moved) break;
  }
  return depths;
}

// Sorts a column by the middle of the rows that its nodes' edges come from, so that edges cross seldom.
function order(column, edges, rows) {
  const weight = new Map(
    column.map((id, index) => {
      const before = edges.filter((edge) => edge.to === id && rows.has(edge.from)).map((edge) => rows.get(edge.from));
      return [id, before.length ? before.reduce((sum, row) => sum + row, 0) / before.length : index];
    }),
  );
  column.sort((a, b) => weight.get(a) - weight.get(b));
  column.forEach((id, row) => rows.set(id, row - column.length / 2));
}
