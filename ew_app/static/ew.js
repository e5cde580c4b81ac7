// Early Warning: everything here makes a page that already works a little quicker to use.
// Hooks are data attributes; each is described where it is read.

const FRAGMENT = { "X-Fragment": "1" };
const live = document.getElementById("live");

document.documentElement.classList.remove("no-script");

const say = (text) => { if (live) live.textContent = text; };

// --- Fetch and swap: <a data-swap="results"> or <form method="get" data-swap="results"> -------------
// The answer may be a whole page or a fragment; the element with that id replaces ours.
// Further ids are replaced with it where the answer has them. Whoever had the focus on a link keeps it there.
async function swap(url, id, others = []) {
  const answer = await fetch(url, { headers: FRAGMENT, credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok || !page.getElementById(id) || !document.getElementById(id)) throw new Error("no such fragment");
  for (const one of [id, ...others]) replace(document.getElementById(one), page.getElementById(one));
}

function replace(old, fresh) {
  if (!old || !fresh) return;
  const held = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  old.replaceWith(fresh);
  enhance(fresh);
  if (held) fresh.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

async function swapOrGo(url, id) {
  try {
    await swap(url, id);
    history.replaceState(null, "", url);
    say("The list has changed.");
  } catch {
    location.assign(url);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  swapOrGo(link.href, link.dataset.swap);
});

// --- Progress: <div id="x" data-poll="/url" data-every="2" data-with="y z"> --------------------------
// Asked again until the answer's element of the same id has no data-poll; y and z are replaced with it.
function poll(box) {
  let wait = Number(box.dataset.every ?? 2) * 1000;
  const others = (box.dataset.with ?? "").split(" ").filter(Boolean);
  const again = async () => {
    if (!document.contains(box)) return;
    try {
      await swap(box.dataset.poll, box.id, others);
    } catch {
      wait = Math.min(wait * 2, 30000);
      setTimeout(again, wait);
    }
  };
  setTimeout(again, wait);
}

// --- Forms: sent once; data-auto submits on change; GET forms with data-swap swap --------------------
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("form[data-once]")) {
    if (form.dataset.sending) { event.preventDefault(); say("This is already being sent."); return; }
    form.dataset.sending = "1";
    setTimeout(() => { delete form.dataset.sending; }, 15000);
  }
  if (form.matches('form[method="get"][data-swap]')) {
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    swapOrGo(`${form.action}?${fields}`, form.dataset.swap);
  }
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) delete form.dataset.sending;
});
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches("form[data-auto]")) form.requestSubmit();
});

// --- Print: what is closed on the screen stands open on paper: <details class="chart-table"> -----------
addEventListener("beforeprint", () => {
  for (const table of document.querySelectorAll("details.chart-table:not([open])")) {
    table.open = true;
    table.dataset.closed = "1";
  }
});
addEventListener("afterprint", () => {
  for (const table of document.querySelectorAll("details[data-closed]")) {
    table.open = false;
    delete table.dataset.closed;
  }
});

// --- Characters left: <textarea maxlength data-limit> -------------------------------------------------
function countDown(area) {
  const left = document.createElement("p");
  left.className = "limit-left";
  const show = () => { left.textContent = `${area.maxLength - area.value.length} characters left`; };
  area.after(left);
  area.addEventListener("input", show);
  show();
}

// --- Day strip: the picture becomes a slider over its days ------------------------------------------
const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -5, PageUp: 5 };

function slideOver(figure) {
  const weeks = figure.querySelector(".strip-weeks");
  const readout = figure.querySelector(".strip-readout");
  const days = [...weeks.querySelectorAll(".cell[title]")];
  if (!days.length) return;
  const words = days.map((day) => day.title);
  let at = days.length - 1;

  const show = (index) => {
    days[at].classList.remove("is-at");
    at = Math.max(0, Math.min(days.length - 1, index));
    days[at].classList.add("is-at");
    readout.textContent = words[at];
    weeks.setAttribute("aria-valuenow", String(at + 1));
    weeks.setAttribute("aria-valuetext", words[at]);
  };
  const rest = () => { days[at].classList.remove("is-at"); };
  const point = (event) => {
    const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".cell");
    const index = days.indexOf(cell);
    if (index >= 0) show(index);
  };

  weeks.setAttribute("role", "slider");
  weeks.setAttribute("tabindex", "0");
  weeks.setAttribute("aria-valuemin", "1");
  weeks.setAttribute("aria-valuemax", String(days.length));
  weeks.setAttribute("aria-valuenow", String(days.length));
  weeks.setAttribute("aria-valuetext", words[at]);
  readout.hidden = false;
  readout.textContent = "Point at a day, or use the arrow keys, to see what it was.";
  for (const day of days) day.removeAttribute("title");

  weeks.addEventListener("focus", () => show(at));
  weeks.addEventListener("blur", rest);
  weeks.addEventListener("pointermove", point);
  weeks.addEventListener("pointerdown", point);
  weeks.addEventListener("keydown", (event) => {
    const goal = event.key === "Home" ? 0 : event.key === "End" ? days.length - 1 : at + (STEPS[event.key] ?? NaN);
    if (Number.isNaN(goal)) return;
    event.preventDefault();
    show(goal);
  });
}

// --- Several rows at once: <div data-bulk="form id" data-noun="student"> -----------------------------
function countTicks(bar) {
  const form = document.getElementById(bar.dataset.bulk);
  const count = bar.querySelector(".bulk-count");
  const idle = count.textContent;
  form?.addEventListener("change", () => {
    const ticked = form.querySelectorAll(".pick input:checked").length;
    count.textContent = ticked ? `${ticked} ${bar.dataset.noun}${ticked === 1 ? "" : "s"} ticked` : idle;
  });
}

// --- Keys for rows, where somebody turned them on: <form data-keys> around a list -----------------------
// j and k go down and up, Enter opens (the link has the focus), x ticks. Never while somebody writes.
function takeKeys(form) {
  const links = [...form.querySelectorAll("tbody .row-link")];
  const step = (by) => {
    const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(links.length - 1, at + by));
    links[next]?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog")) return;
    if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
    else if (event.key === "x") document.activeElement.closest("tr")?.querySelector(".pick input")?.click();
    else return;
    event.preventDefault();
  });
}

// --- Undo: <div data-undo="10"> goes away by itself unless someone is using it ------------------------
function fadeLater(bar) {
  const left = bar.querySelector(".undo-left");
  let seconds = Number(bar.dataset.undo);
  const clock = setInterval(() => {
    if (bar.matches(":hover, :focus-within")) return;
    seconds -= 1;
    left.textContent = `${seconds} s`;
    if (seconds <= 0) { clearInterval(clock); bar.remove(); }
  }, 1000);
}

// --- Dialogs: <a href="/page" data-dialog="id"> -------------------------------------------------------
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (!dialog?.showModal) return;
  event.preventDefault();
  dialog.showModal();
});

// --- Turning pages: <nav data-turn> with rel="prev" and rel="next"; the arrow keys, unless something else has the focus
document.addEventListener("keydown", (event) => {
  const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const used = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest("input, select, textarea, [role=slider]");
  if (rel && !used) document.querySelector(`[data-turn] a[rel="${rel}"]`)?.click();
});

// --- Copy: <button data-copy="id of the text"> ---------------------------------------------------------
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const words = button.textContent;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select the text and copy it";
  }
  say(button.textContent);
  setTimeout(() => { button.textContent = words; }, 3000);
});

// --- Menu: Escape and a tap beside it close it ----------------------------------------------------------
const menu = document.querySelector("details.menu");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu?.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});

// --- Session: two minutes before the end, ask; after the end, cover the page but keep what was typed ---
// The address in data-extend answers {"token": "..."} to someone who is signed in, and an error otherwise.
async function extend(dialog) {
  const answer = await fetch(dialog.dataset.extend, { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) throw new Error("signed out");
  const { token } = await answer.json();
  for (const field of document.querySelectorAll('input[name="csrf_token"]')) field.value = token;
}

function watchSession(dialog) {
  const ask = (Number(dialog.dataset.sessionMinutes) - 2) * 60;
  const text = dialog.querySelector("[data-session-text]");
  const main = document.getElementById("main");
  let since = Date.now();

  const tell = () => {
    const rest = Math.round(ask + 120 - (Date.now() - since) / 1000);
    if (rest > 120) return;
    main.hidden = rest <= 0;
    text.textContent = rest > 0
      ? `You will be signed out in ${rest > 60 ? "2 minutes" : `${Math.ceil(rest / 10) * 10} seconds`}, so that nobody else reads this screen.`
      : "You were signed out and the page is covered. Sign in again in another tab, then carry on here: what you typed is still in place.";
    if (!dialog.open) dialog.showModal();
  };
  setInterval(tell, 1000);
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.querySelector("[data-extend-now]").addEventListener("click", async () => {
    try {
      await extend(dialog);
      since = Date.now();
      main.hidden = false;
      dialog.close();
    } catch {
      text.textContent = "You are not signed in, or the server cannot be reached. Sign in again in another tab, then carry on here.";
    }
  });
}

function enhance(root) {
  const all = (selector) => [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  all("[data-poll]").forEach(poll);
  all("[data-strip]").forEach(slideOver);
  all("[data-undo]").forEach(fadeLater);
  all("[data-bulk]").forEach(countTicks);
  all("form[data-keys]").forEach(takeKeys);
  all("textarea[data-limit]").forEach(countDown);
  all("[data-newest]").forEach((box) => { box.scrollLeft = box.scrollWidth; });
  all("[data-focus]").forEach((box) => box.focus());
}

enhance(document);
const stillThere = document.querySelector("[data-session-minutes]");
if (stillThere) watchSession(stillThere);
