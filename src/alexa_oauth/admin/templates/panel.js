"use strict";

// Two conveniences; every page works without them. Marked in the templates by data-copy and data-live.

const said = document.getElementById("said");

function offerCopying(within) {
  for (const button of within.querySelectorAll("[data-copy]")) button.hidden = false;
}

async function copy(element) {
  const text = element.textContent;
  // Browsers have a clipboard for pages by https alone; Home Assistant is often opened by http.
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  if (!document.execCommand("copy")) throw new Error("refused");
  selection.removeAllRanges();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.textContent;
  try {
    await copy(document.getElementById(button.dataset.copy));
    button.textContent = "Copied";
    said.textContent = "Copied";
  } catch {
    button.textContent = "Select it, then copy";
  }
  setTimeout(() => { button.textContent = label; said.textContent = ""; }, 2000);
});

// An element with an id and data-live="SECONDS" is fetched anew with its page, unless somebody is in the middle of using it.
// What its data-says tells is read out when it changes.
function isInUse(element) {
  return element.contains(document.activeElement) || element.querySelector("details[open]") !== null;
}

async function refresh() {
  if (document.hidden) return true;
  const answer = await fetch(location.href, { headers: { "X-Panel-Live": "1" }, redirect: "error" });
  if (!answer.ok) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const element of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(element.id);
    if (!other || isInUse(element)) continue;
    offerCopying(other);
    if (other.outerHTML === element.outerHTML) continue;
    if (other.dataset.says !== element.dataset.says) said.textContent = other.dataset.says;
    element.replaceWith(other);
  }
  return document.querySelector("[data-live]") !== null;
}

function refreshEvery(seconds) {
  setTimeout(async () => {
    try {
      if (!(await refresh())) return;
    } catch {
      // The server may be restarting.
    }
    refreshEvery(seconds);
  }, seconds * 1000);
}

offerCopying(document);
const live = document.querySelector("[data-live]");
if (live) refreshEvery(Number(live.dataset.live));
