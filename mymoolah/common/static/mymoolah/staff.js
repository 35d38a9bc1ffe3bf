// Copy and print recovery codes.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  if (button.dataset.do === "print") window.print();
  if (button.dataset.do === "copy") {
    const codes = [...document.getElementById(button.dataset.of).children].map((code) => code.textContent);
    const told = document.getElementById("told");
    try {
      await navigator.clipboard.writeText(codes.join("\n"));
      told.textContent = "Copied.";
    } catch {
      told.textContent = "Your browser does not let us copy: mark them and copy yourself.";
    }
  }
});
