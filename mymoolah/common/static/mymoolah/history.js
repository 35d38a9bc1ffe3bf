/* What answered a form is in the browser's history as the page it belongs to: going back or loading it again asks for that
   page, and sends nothing a second time. What was typed goes along in its address, but for what only a form may hold. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const stands = document.querySelector("[data-stands-for]");
  if (stands) window.history.replaceState(null, "", stands.dataset.standsFor);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("remembered" in form.dataset)) return;
  const typed = [...new FormData(form)].filter(([name, value]) => value && form.dataset.remembered.split(" ").includes(name));
  window.history.replaceState(null, "", `${window.location.pathname}?${new URLSearchParams(typed)}`);
});
