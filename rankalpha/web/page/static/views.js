// The views of the page: the batches, and each variant of the market against its champion.
import { comparison } from "./api.js";
import { element } from "./dom.js";
import { hashOf } from "./place.js";
import { renderVariant } from "./variant.js";

export class Views {
  constructor(tabs, batches, compared) {
    Object.assign(this, { tabs, batches, compared });
    this.variant = ""; // whose comparisons are shown; empty for the batches
    this.asked = this.name = ""; // what the comparisons that are shown are of: the batches, and whose they are
  }

  /** Show the view that is chosen; without a variant there is one view, and no tabs. */
  draw(overview, market) {
    const { variants } = overview;
    const several = variants.length > 0 || this.variant !== "";
    this.tabs.hidden = !several;
    this.batches.hidden = this.variant !== "";
    this.compared.hidden = this.variant === "";
    for (const tool of document.querySelectorAll(".of-batches")) tool.hidden = this.variant !== "";
    document.title = `RankAlpha · ${this.variant ? `Variant ${this.variant}` : "Batches"}`;
    if (several) this.drawTabs(variants, market);
    if (this.variant) this.load(overview, market);
  }

  hide() {
    for (const part of [this.tabs, this.batches, this.compared]) part.hidden = true;
  }

  drawTabs(variants, market) {
    const tabs = ["", ...variants].map((variant) => {
      const tab = element("a", "", variant ? `Variant ${variant}` : "Batches");
      tab.href = hashOf({ market, variant }) || "#";
      if (variant === this.variant) tab.setAttribute("aria-current", "page");
      return tab;
    });
    const before = [...this.tabs.children];
    if (tabs.length === before.length && tabs.every((tab, index) => tab.isEqualNode(before[index]))) return; // the focus stays
    const focused = before.indexOf(document.activeElement);
    this.tabs.replaceChildren(...tabs);
    tabs[focused]?.focus();
  }

  /** Load the comparisons, unless those that are shown are of the same batches. */
  async load({ batches }, market) {
    const { variant } = this;
    const step = `${variant}_comparison`;
    const published = batches.map(({ steps }) => steps.find((one) => one.step === step)?.published);
    const asked = JSON.stringify([market, variant, published]);
    if (asked === this.asked) return;
    const name = JSON.stringify([market, variant]);
    if (name !== this.name) this.compared.replaceChildren(element("p", "sub", "Loading the comparisons…"));
    Object.assign(this, { asked, name });
    try {
      const found = await comparison(variant, market);
      if (this.asked === asked) renderVariant(this.compared, found);
    } catch (error) {
      if (this.asked !== asked) return;
      this.asked = ""; // again with the next overview
      this.compared.replaceChildren(element("p", "refusal", `The comparisons cannot be shown: ${error.message}`));
    }
  }
}
