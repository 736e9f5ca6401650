// Everything works without this file. It keeps a page up to date, and adds keys.
"use strict";

const pages = { o: "./", c: "consumers", p: "parked", s: "streams", e: "events" };

// The part of the page that changes is read anew, unless somebody is using it or cannot see it.
function busy(live) {
  const focus = document.activeElement;
  return document.hidden || live.querySelector("details[open]") !== null ||
    (focus !== null && live.contains(focus) && focus.matches("input, select, button, pre")) ||
    !window.getSelection().isCollapsed;
}

async function refresh() {
  const live = document.getElementById("live");
  if (busy(live)) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.redirected) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("live");
    if (fresh === null || busy(live)) return;
    const row = rows().indexOf(document.activeElement && document.activeElement.closest("tbody tr"));
    live.replaceChildren(...fresh.childNodes);
    if (row >= 0) move(row);
    document.getElementById("read").textContent = page.getElementById("read").textContent;
    document.body.classList.remove("away");
  } catch (_) {
    document.body.classList.add("away");
  }
}

const every = Number(document.body.dataset.live);
if (every > 0) setInterval(refresh, every * 1000);

// j and k move through the rows of tables, by the first link of each; Enter follows it, as ever.
function rows() {
  return [...document.querySelectorAll("tbody tr, .problems li")].filter((row) => row.querySelector("a") !== null);
}

function move(to) {
  const all = rows();
  if (all.length > 0) all[Math.max(0, Math.min(to, all.length - 1))].querySelector("a").focus();
}

let go = false;
document.addEventListener("keydown", (key) => {
  if (key.ctrlKey || key.metaKey || key.altKey || key.target.matches("input, select, textarea")) {
    if (key.key === "Escape") key.target.blur();
    return;
  }
  const at = rows().indexOf(document.activeElement.closest("tbody tr, .problems li"));
  if (go && pages[key.key] !== undefined) location.assign(pages[key.key]);
  else if (key.key === "/" && document.querySelector(".search input") !== null) document.querySelector(".search input").focus();
  else if (key.key === "j") move(at + 1);
  else if (key.key === "k") move(at < 0 ? 0 : at - 1);
  else {
    go = key.key === "g";
    return;
  }
  go = false;
  key.preventDefault();
});
