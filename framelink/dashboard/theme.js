/** Light or dark: as the system wishes, until the reader chooses otherwise.  A classic script in the page's head, so
 *  that the first paint is right already. */
"use strict";

{
  const KEY = "framelink-theme";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const wish = () => (dark.matches ? "dark" : "light");

  const remembered = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is forbidden here; the system's wish stands
    }
  };

  const remember = (theme) => {
    try {
      if (theme === wish()) localStorage.removeItem(KEY); // who agrees with the system follows it
      else localStorage.setItem(KEY, theme);
    } catch {
      // the choice holds until the page is closed
    }
  };

  const show = (theme) => {
    root.dataset.theme = theme;
    root.dispatchEvent(new CustomEvent("themechange"));
  };

  show(remembered() ?? wish());
  dark.addEventListener("change", () => show(remembered() ?? wish()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#theme")) return;
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    remember(theme);
    show(theme);
  });
}
