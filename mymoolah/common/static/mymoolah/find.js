/* Ctrl+K, some words, Enter: whoever has chosen no line of what was found goes on with the words themselves. */
document.addEventListener(
  "keydown",
  (event) => {
    const form = document.getElementById("find-customer");
    if (event.key !== "Enter" || event.target.id !== "search-input-command" || !form) return;
    if (document.querySelector("#command-results-list li.active")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const text = event.target.value.trim();
    if (text) window.location = `${form.action}?q=${encodeURIComponent(text)}`;
  },
  true,
);
