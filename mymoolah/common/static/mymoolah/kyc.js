"use strict";

// Keys: an element with data-key is clicked if it leads somewhere, only looks or can be undone (data-at-once), and focused if it would decide.
const writes = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
  const found = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!found) return;
  event.preventDefault();
  if (found.form && !("atOnce" in found.dataset)) {
    found.scrollIntoView({ block: "center" });
    found.focus();
  } else {
    found.click();
  }
});

// What is typed into one form is not sent with another, nor when the page is left: ask before it is lost.
const forms = [...document.querySelectorAll(".kyc-form")];
const typed = (form) => [...form.querySelectorAll("textarea")].filter((field) => field.value.trim() !== field.defaultValue.trim());
let isSent = false;

document.addEventListener("submit", (event) => {
  const [lost] = forms.filter((form) => form !== event.target).flatMap(typed);
  const label = lost?.closest("label").firstChild.textContent.trim();
  if (lost && !window.confirm(`You typed something under “${label}”. It is not sent with this, and will be lost. Go on?`)) {
    event.preventDefault();
    lost.focus();
  } else {
    isSent = true;
  }
});

window.addEventListener("beforeunload", (event) => {
  if (!isSent && forms.flatMap(typed).length) event.preventDefault();
});

// A usual reason stands where one's own would, to be changed there; what was typed is never written over, and choosing
// another takes the one before away.
document.querySelectorAll("[data-fills]").forEach((choice) => {
  const field = choice.form.elements[choice.dataset.fills];
  const usual = [...choice.options].map((option) => option.text);
  choice.closest("label").hidden = false;
  choice.addEventListener("change", () => {
    const chosen = usual.slice(1).find((words) => field.value.trim().endsWith(words)) ?? "";
    const own = field.value.trim().slice(0, field.value.trim().length - chosen.length).trim();
    field.value = [own, choice.value].filter(Boolean).join(" ");
    field.focus();
  });
});

// The viewer: one picture at a time. Each is fetched when it is looked at, since each look is written down.
function viewer(root) {
  const stage = root.querySelector(".kyc-stage");
  const picture = stage.querySelector("img");
  const told = root.querySelector("[data-told]");
  const tabs = [...root.querySelectorAll("[data-document]")];
  const seen = new Map();
  let at = { tab: 0, page: 1, pages: 1, zoom: 1, turns: 0 };
  let asked = 0;

  const address = () => tabs[at.tab].dataset.document.replace(/\/pages\/\d+$/, `/pages/${at.page}`);

  const read = async (where) => {
    const answer = await fetch(where, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error((answer.headers.get("Content-Type") || "").startsWith("text/plain") ? await answer.text() : "This cannot be shown.");
    const content = await answer.blob();
    const url = await new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result);
      reader.onerror = () => failed(new Error("This cannot be shown."));
      reader.readAsDataURL(content);
    });
    return { url, shown: Number(answer.headers.get("X-Pages-Shown") || 1), pages: Number(answer.headers.get("X-Pages") || 1) };
  };

  const place = () => {
    const sideways = at.turns % 2 === 1;
    const width = picture.naturalWidth;
    const height = picture.naturalHeight;
    if (!width) return;
    const fit = Math.min(stage.clientWidth / (sideways ? height : width), stage.clientHeight / (sideways ? width : height), 1);
    const scale = fit * at.zoom;
    picture.style.width = `${width * scale}px`;
    picture.style.height = `${height * scale}px`;
    const gap = ((height - width) * scale) / 2;
    picture.style.margin = sideways ? `${-gap}px ${gap}px` : "0";
    picture.style.transform = `rotate(${at.turns * 90}deg)`;
    picture.dataset.zoom = at.zoom.toFixed(2);
    picture.dataset.turns = at.turns % 4;
  };

  const show = async () => {
    const mine = ++asked;
    const tab = tabs[at.tab];
    tabs.forEach((one) => one.setAttribute("aria-pressed", String(one === tab)));
    root.querySelectorAll("[data-of]").forEach((one) => { one.hidden = one.dataset.of !== tab.dataset.document; });
    told.textContent = "Loading…";
    try {
      const where = address();
      if (!seen.has(where)) seen.set(where, await read(where));
      if (mine !== asked) return;
      const found = seen.get(where);
      at.pages = found.shown;
      picture.src = found.url;
      await picture.decode();
      if (mine !== asked) return;
      picture.hidden = false;
      picture.alt = `${tab.textContent.trim()}, page ${at.page}`;
      place();
      const more = found.pages > found.shown ? ` (the first ${found.shown} of ${found.pages})` : "";
      told.textContent = `Document ${at.tab + 1} of ${tabs.length}, page ${at.page} of ${found.shown}${more}`;
    } catch (error) {
      if (mine !== asked) return;
      picture.hidden = true;
      told.textContent = error.message;
    }
  };

  const turnTo = (tab, page) => {
    at = { tab, page, pages: 1, zoom: 1, turns: 0 };
    show();
  };

  const deeds = {
    "zoom-in": () => { at.zoom = Math.min(at.zoom * 1.5, 12); place(); },
    "zoom-out": () => { at.zoom = Math.max(at.zoom / 1.5, 0.5); place(); },
    fit: () => { at.zoom = 1; place(); },
    rotate: () => { at.turns += 1; place(); },
    next: () => {
      if (at.page < at.pages) { at = { ...at, page: at.page + 1 }; show(); }
      else if (at.tab + 1 < tabs.length) turnTo(at.tab + 1, 1);
    },
    previous: () => {
      if (at.page > 1) { at = { ...at, page: at.page - 1 }; show(); }
      else if (at.tab > 0) turnTo(at.tab - 1, 1);
    },
  };

  tabs.forEach((tab, number) => tab.addEventListener("click", () => turnTo(number, 1)));
  root.querySelectorAll("[data-do]").forEach((button) => button.addEventListener("click", deeds[button.dataset.do]));
  window.addEventListener("resize", place);
  if (tabs.length) show();
}

document.querySelectorAll("[data-viewer]").forEach(viewer);
