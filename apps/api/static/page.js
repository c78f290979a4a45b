// Swagger UI with what keyboards and screen readers need and it lacks.
const AMENDED = [
  // the headings below the title of level 1 begin at level 3
  ["h3, h4, h5", (heading) => heading.setAttribute("aria-level", Number(heading.tagName[1]) - 1)],
  // a link within the button that opens an operation
  [".opblock-summary-control a[href]", (link) => link.removeAttribute("href")],
  [".copy-to-clipboard button", (button) => button.setAttribute("aria-label", "Copy")],
  ["[data-param-name] :is(input, select, textarea)", (field) => field.setAttribute("aria-label", field.closest("tr").dataset.paramName)],
  [".body-param__text", (field) => field.setAttribute("aria-label", "Request body")],
  // what scrolls is scrolled by keys, too
  ["pre.microlight", (code) => code.setAttribute("tabindex", "0")],
  // a table is no landmark
  ["table[role=region]", (table) => table.removeAttribute("role")],
];

function amend() {
  for (const [selector, change] of AMENDED) {
    document.querySelectorAll(selector).forEach(change);
  }
}

new MutationObserver(amend).observe(document.getElementById("api"), { childList: true, subtree: true });
window.SwaggerUIBundle({ url: "openapi.json", dom_id: "#api", deepLinking: true });
