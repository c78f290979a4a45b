// The rows that are shown, as a file of comma-separated values (RFC 4180).
const FIELDS = ["rank", "symbol", "name", "sector", "grade", "composite", "momentum", "value", "quality", "score", "sentiment", "headlines", "close", "last_day"];
const FORMULA = /^[=+\-@\t\r]/; // what a spreadsheet would compute

/** Offer a file with the rows to the browser. */
export function download(rows, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csvOf(rows)], { type: "text/csv;charset=utf-8" }));
  link.download = name.replaceAll(":", "");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The text of the file, with a head. */
export function csvOf(rows) {
  const lines = rows.map((row) => [...FIELDS.map((field) => row[field]), row.move?.ranks, before(row)]);
  return [[...FIELDS, "rank_change", "grade_before"], ...lines].map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

function cell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && FORMULA.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The letter in the batch before; nothing where there was none. */
function before({ move, grade }) {
  return move && !move.entered ? move.letter || grade : "";
}
