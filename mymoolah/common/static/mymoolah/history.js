/* What answered a form is in the browser's history as the page it belongs to: going back or loading it again asks for that
   page, and sends nothing a second time. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const stands = document.querySelector("[data-stands-for]");
  if (stands) window.history.replaceState(null, "", stands.dataset.standsFor);
});
