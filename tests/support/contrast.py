"""Contrast of a page's texts in a browser, by WCAG 2.2 (1.4.3)."""

# the texts on the screen that stand out too little from what is behind them
FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const [r, g, b, a] = rgba(getComputedStyle(one).backgroundColor);
      if (a === 255) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const light = (color) => {
    const linear = (part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
    const [r, g, b] = color.map((part) => linear(part / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].filter((node) => node.nodeType === 3);
    const text = own.map((node) => node.data.trim()).join("");
    if (!text || !one.checkVisibility() || one.disabled || one.tagName === "OPTION") continue;
    const [ink, paper] = [rgba(getComputedStyle(one).color).slice(0, 3), behind(one)].map(light);
    const ratio = (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
    if (ratio < 4.5) found.push(`${text}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""
