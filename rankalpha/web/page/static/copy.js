// The button that copies an address; where the browser does not let it, the address is shown, to be copied by hand.
import { button, element } from "./dom.js";

const SHOWN = 3000; // milliseconds

export function copyButton(address) {
  const said = element("span", "unseen");
  said.setAttribute("role", "status"); // read aloud when it changes, which a button's own text is not
  const made = button("copy", "Copy link", async () => {
    try {
      await navigator.clipboard.writeText(address());
      said.textContent = made.textContent = "Copied";
      setTimeout(() => ([said.textContent, made.textContent] = ["", "Copy link"]), SHOWN);
    } catch {
      byHand(made, address());
    }
  });
  return element("span", "", [made, said]);
}

function byHand(made, address) {
  const field = element("input", "address");
  field.value = address;
  field.readOnly = true;
  field.setAttribute("aria-label", "Address of this view");
  made.replaceWith(field);
  field.select();
}
