// The bar of the grades of a batch.
import { element } from "./dom.js";

/** How many symbols have each grade, as wide as their share. */
export function grades(counts) {
  const letters = Object.entries(counts ?? {}).filter(([letter, amount]) => "ABCDF".includes(letter) && amount > 0);
  if (!letters.length) return element("span", "none", "–");
  const label = letters.map(([letter, amount]) => `${letter} ${amount}`).join(", ");
  const bar = element("span", "grades", letters.map(([letter, amount]) => {
    const part = element("i", `grade-${letter}`, [element("b", "", letter), element("span", "", String(amount))]);
    part.style.setProperty("--share", amount);
    return part;
  }));
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", `Grades: ${label}`);
  bar.title = label;
  return bar;
}
