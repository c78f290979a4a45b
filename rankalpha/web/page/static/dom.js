// Small building blocks. Text enters the page through textContent only, never as markup.
const SVG = "http://www.w3.org/2000/svg";

/** Make an HTML element with a class and text, or with children; those that are null are left out. */
export function element(tag, className, content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (Array.isArray(content)) made.append(...content.filter((child) => child !== null));
  else if (content !== undefined && content !== null) made.textContent = content;
  return made;
}

/** Make a drawing of SVG elements, given as [tag, attributes] pairs. */
export function drawing(attributes, parts) {
  const made = shape("svg", attributes);
  made.append(...parts.map(([tag, own]) => shape(tag, own)));
  return made;
}

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** A definition list of [name, content] pairs; those without content are left out. */
export function facts(pairs) {
  const shown = pairs.filter(([, content]) => content !== null && content !== undefined && content !== "");
  return element("dl", "facts", shown.map(([name, content]) => element("div", "", [
    element("dt", "", name), element("dd", "", content instanceof Node ? [content] : String(content)),
  ])));
}

/** A table: the text of each column's head, and rows of cells, each a text, a node or a list of nodes; the first heads its row. */
export function table(className, heads, rows) {
  const cell = (content, index) => {
    const inside = content instanceof Node ? [content] : content;
    return index ? element("td", "", inside) : header(inside, "row");
  };
  const head = element("tr", "", heads.map((text) => header(text, "col")));
  const body = rows.map((cells) => element("tr", "", cells.map(cell)));
  return element("table", className, [element("thead", "", [head]), element("tbody", "", body)]);
}

/** The head of a column or a row. */
export function header(content, scope) {
  const made = element("th", "", content);
  made.scope = scope;
  return made;
}

/** A button. */
export function button(className, content, act) {
  const made = element("button", className, content);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}
