/* What the theme leaves to the mouse, made for the keyboard and the ear too: what is clicked is a button with a name,
   a picture that stands beside words is silent, and the page has one main part. */
"use strict";

(() => {
  const OPERABLE = "a[href], button, input, select, textarea, summary, label, [tabindex]";
  const CLICKED = "[x-on\\:click]";
  const ICON = ".material-symbols-outlined";
  // What an icon says where it stands alone; any other one by its own name.
  const NAMES = {
    account_balance: "Start", arrow_back: "Back", close: "Close the menu", computer: "Colours", dark_mode: "Colours",
    dock_to_right: "Menu", light_mode: "Colours", more_horiz: "More", more_vert: "More",
  };

  const words = (element) => {
    const copy = element.cloneNode(true);
    for (const icon of copy.querySelectorAll(ICON)) icon.remove();
    return element.matches(ICON) ? "" : copy.textContent.trim();
  };

  const icon = (element) => (element.matches(ICON) ? element : element.querySelector(ICON))?.textContent.trim();

  const name = (element) => {
    if (words(element) || element.getAttribute("aria-label")) return;
    const drawn = icon(element);
    const known = element.title || (drawn && (NAMES[drawn] ?? drawn.replaceAll("_", " ")));
    if (known) element.setAttribute("aria-label", known);
  };

  const press = (event) => {
    if (event.target !== event.currentTarget || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    event.currentTarget.click();
  };

  const makeOperable = (element) => {
    if (element.matches(OPERABLE) || element.id === "changelist-filter-close") return;
    element.setAttribute("role", "button");
    element.tabIndex = 0;
    element.addEventListener("keydown", press);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(CLICKED).forEach(makeOperable);
    document.querySelectorAll("a, button, [role=button]").forEach(name);
    for (const one of document.querySelectorAll(ICON)) {
      if (one.getAttribute("role") !== "button") one.setAttribute("aria-hidden", "true");
    }
    const content = document.getElementById("content");
    content?.setAttribute("role", "main");
    content?.setAttribute("tabindex", "-1");
  });
})();
