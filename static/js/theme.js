// Light or dark: what was chosen stands on <html data-chosen>; otherwise the device decides. Loaded first, so that no page flashes.
(() => {
  const root = document.documentElement;
  if (root.hasAttribute("data-chosen")) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  dark.addEventListener("change", follow);
  follow();
})();
