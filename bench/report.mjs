/** @returns {string} a part's figures and goals, for people */
export function report({ title, rows, goals, notes }) {
  const verdict = { true: "met", false: "MISSED", undefined: "not measured" };
  const goalRows = goals.map(({ name, value, limit, met }) => ({
    goal: name,
    measured: value,
    limit,
    "": verdict[met],
  }));
  return [`## ${title}`, table(rows), table(goalRows), ...notes.map((note) => `- ${note}`)].join("\n\n");
}

/** In Markdown, so that it can be pasted into docs/performance.md. */
function table(rows) {
  const columns = Object.keys(rows[0] ?? {});
  const cells = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))];
  const widths = columns.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const isNumber = columns.map((column) => rows.some((row) => typeof row[column] === "number"));
  const rule = widths.map((width, column) =>
    isNumber[column] ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const lines = cells.map((row) =>
    row.map((text, column) =>
      isNumber[column] ? text.padStart(widths[column]) : text.padEnd(widths[column]),
    ),
  );
  return [lines[0], rule, ...lines.slice(1)].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function cell(value) {
  if (value === undefined || Number.isNaN(value)) return "-";
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
