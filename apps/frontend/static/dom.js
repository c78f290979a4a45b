// Small building blocks. Text enters the page through textContent only, never as markup.
const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** Make an HTML element with a class and text, or with children; those that are null are left out. */
export function element(tag, className, content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (Array.isArray(content)) made.append(...content.filter((child) => child !== null));
  else if (content !== undefined && content !== null) made.textContent = content;
  return made;
}

/** Make an SVG element with attributes, and with children or text. */
export function svg(tag, attributes, content = []) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (Array.isArray(content)) made.append(...content);
  else made.textContent = content;
  return made;
}

/** A button that does something. */
export function button(className, content, act) {
  const made = element("button", className, content);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/** A link to a place of this page: a click goes there without loading, and it opens in a new tab as any link does. */
export function link(className, content, href) {
  const made = element("a", className, content);
  made.href = href;
  return made;
}

/** A table with a head, each cell a text or an element; the first column names the row. */
export function table(className, caption, head, rows) {
  const cells = (row) => row.map((each, index) => {
    const cell = element(index ? "td" : "th", "", each instanceof Node ? [each] : String(each));
    if (!index) cell.scope = "row";
    return cell;
  });
  const names = head.map((name) => {
    const cell = element("th", "", name);
    cell.scope = "col";
    return cell;
  });
  return element("table", className, [
    element("caption", "unseen", caption),
    element("thead", "", [element("tr", "", names)]),
    element("tbody", "", rows.map((row) => element("tr", "", cells(row)))),
  ]);
}
