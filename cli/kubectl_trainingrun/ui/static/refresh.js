// Shows what has changed every few seconds, without moving what is being read.
"use strict";
const EVERY_MS = 5000;

async function refresh() {
  const reading = document.hidden || String(window.getSelection()) !== "";
  if (reading) return;
  const log = document.querySelector("#log");
  const atEnd = !log || log.scrollHeight - log.scrollTop - log.clientHeight < 8;
  const where = log ? log.scrollTop : 0;
  const note = document.querySelector("#stale");
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    document.title = page.title;
    note.hidden = true;
  } catch {
    note.hidden = false;
  }
  const fresh = document.querySelector("#log");
  if (fresh) fresh.scrollTop = atEnd ? fresh.scrollHeight : where;
}

const log = document.querySelector("#log");
if (log) log.scrollTop = log.scrollHeight;
setInterval(refresh, EVERY_MS);
