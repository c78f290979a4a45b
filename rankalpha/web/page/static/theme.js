// Light or dark, as Airflow's own frame is now; without the frame as was chosen there, else as the system is.
// Not a module, so that it runs before anything is painted.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");

  function dark() {
    if (parent !== window) {
      const chosen = parent.document.documentElement.classList;
      if (chosen.contains("dark") || chosen.contains("light")) return chosen.contains("dark");
    }
    const stored = localStorage.getItem("theme");
    return stored === "dark" || (stored !== "light" && system.matches);
  }

  function apply() {
    document.documentElement.dataset.theme = dark() ? "dark" : "light";
  }

  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  if (parent !== window) new MutationObserver(apply).observe(parent.document.documentElement, { attributeFilter: ["class"] });
})();
