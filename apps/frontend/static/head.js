// The head of the table: each column is a button that sorts, and says what it means.
import { element } from "./dom.js";

/** Draw the head; the focus survives the drawing. */
export function renderHead(parent, columns, place, sortBy) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.sort : null;
  parent.replaceChildren(...columns.map((column) => head(column, place, sortBy)));
  if (focused) parent.querySelector(`[data-sort="${focused}"]`)?.focus();
}

function head(column, place, sortBy) {
  const sorted = place.sort === column.key;
  const button = element("button", "", [element("span", "", column.short ?? column.label), element("i", "arrow")]);
  button.type = "button";
  button.dataset.sort = column.key;
  button.setAttribute("aria-describedby", `about-${column.key}`);
  if (column.short) button.setAttribute("aria-label", column.label);
  button.addEventListener("click", () => sortBy(column.key));
  const tip = element("span", "tip", column.meaning);
  tip.id = `about-${column.key}`;
  tip.setAttribute("role", "tooltip");
  const made = element("th", `column-${column.key}`, [button, tip]);
  made.scope = "col";
  made.setAttribute("role", "columnheader");
  made.setAttribute("aria-sort", sorted ? (place.descending ? "descending" : "ascending") : "none");
  return made;
}

/** The same meanings as a list, for fingers and for those who read. */
export function renderMeanings(parent, columns) {
  parent.replaceChildren(...columns.flatMap((column) => [element("dt", "", column.label), element("dd", "", column.meaning)]));
}
