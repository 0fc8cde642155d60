// Refreshes what is live, moves the focus, keeps relative times true. Every page is complete without it.
// It knows: [data-live], time[data-ago], li.row[id] with a[data-row], [data-act], a[rel=up|prev|next], and plots:
// [data-plot] with .hits rect or a (title, tabindex) and one [data-line].
"use strict";
(() => {
const all = (what, within = document) => [...within.querySelectorAll(what)];
const one = (what, within = document) => within.querySelector(what);
const root = document.body.dataset.root || "";
const shortcuts = document.documentElement.dataset.keys !== "off";

// Small helps for forms.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
all("[data-zone]").forEach((field) => { field.value = zone; });
all("[data-own-zone]").forEach((button) => {
  button.hidden = !zone;
  button.onclick = () => { document.getElementById(button.dataset.ownZone).value = zone; };
});
all("[data-copy]").forEach((button) => {
  button.hidden = !navigator.clipboard;
  button.onclick = async () => {
    const from = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(from.value ?? from.textContent);
    button.textContent = "Copied";
  };
});
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submits]");
  if (!form || !event.target.matches("select")) return;
  if (event.target.name === "range" && !event.target.value) one("#between").open = true;
  else form.requestSubmit();
});
document.addEventListener("input", (event) => { if (event.target.closest("#between")) one("#range").value = ""; });
all("form[data-submits] button:not(.primary)").forEach((button) => { button.hidden = true; });

// Relative times, against the server's clock.
// How far the server's clock is ahead, in ms.
let ahead = 0;
const UNITS = [["d", 86400, 3600, "h"], ["h", 3600, 60, "min"], ["min", 60], ["s", 1]];
const lasted = (seconds) => {
  const [name, size, below, small] = UNITS.find(([, size]) => seconds >= size) || UNITS[3];
  const rest = below ? Math.floor(seconds % size / below) : 0;
  return `${Math.floor(seconds / size)} ${name}${rest ? ` ${rest} ${small}` : ""}`;
};
const tick = () => all("time[data-ago]").forEach((time) => {
  const seconds = Math.floor((Date.now() + ahead - Date.parse(time.dateTime)) / 1000);
  if (Math.abs(seconds) > 604800) return;
  time.textContent = seconds >= 0 ? `${lasted(seconds)} ago` : `in ${lasted(-seconds)}`;
});
setInterval(tick, 15000);

// Live refresh.
const live = one("#live");
// Of a form's answer it is the page's own address that refreshes.
const here = new URL(one("meta[name=live]")?.dataset.at || location.href, location.href);
let every = 0, etag = "", timer = 0, failures = 0, stopped = false, pressed = false;
const began = Date.now();
let touched = began;
const read = (page) => {
  const meta = one("meta[name=live]", page);
  if (meta) { every = +meta.content; etag = meta.dataset.etag; }
};
read(document);
const busy = (section) => {
  const active = document.activeElement, chosen = getSelection();
  return section.contains(active) && !active.matches("a[data-row]") || pressed && section.matches(":active") ||
    !chosen.isCollapsed && section.contains(chosen.anchorNode) ||
    all("input:not([type=hidden]),textarea", section).some((field) => field.value !== field.defaultValue);
};
const say = (words, kind) => {
  live.className = `live ${kind}`;
  live.children[1].textContent = words;
};
const swap = (old, fresh) => {
  const open = new Set(all("details[open]", old).map((details) => details.id));
  all("details", fresh).forEach((details) => { if (details.id && open.has(details.id)) details.open = true; });
  old.replaceWith(document.adoptNode(fresh));
};
// Rows keep their order, and new ones wait until they are asked for, unless the reader is at the top and on none.
const settle = (old, fresh) => {
  const known = all("li.row[id]", old).map((row) => row.id);
  if (!known.length || scrollY < 40 && !old.contains(document.activeElement)) return 0;
  const added = all("li.row[id]", fresh).filter((row) => !known.includes(row.id));
  all("ol,ul", fresh).forEach((list) => all(":scope>li.row[id]", list)
    .sort((a, b) => known.indexOf(a.id) - known.indexOf(b.id)).forEach((row) => list.append(row)));
  return added.length;
};
const take = (page, forced) => {
  let waiting = 0;
  all("[data-live]", page).forEach((fresh) => {
    const old = document.getElementById(fresh.id);
    if (!old || old.dataset.v === fresh.dataset.v) return;
    const held = forced ? 0 : settle(old, fresh);
    waiting += held;
    if (held || busy(old) && !forced) { etag = ""; return; }
    const active = document.activeElement, row = old.contains(active) && active.closest("li.row[id]")?.id;
    if (row) active.blur();
    swap(old, fresh);
    if (row) one(`#${row} a[data-row]`)?.focus({preventScroll: true});
  });
  document.title = page.title || document.title;
  const icon = one("link[rel=icon]", page), mine = one("link[rel=icon]");
  if (icon && icon.outerHTML !== mine.outerHTML) mine.replaceWith(document.adoptNode(icon));
  announce(waiting);
  tick();
};
const announce = (count) => {
  const bar = one("#news");
  if (!bar) return;
  bar.hidden = !count;
  one("span", bar).textContent = `${count} new ${one("[id^=job-]") ? "job" : "incident"}${count === 1 ? "" : "s"}.`;
};
const poll = async (forced) => {
  clearTimeout(timer);
  if (!live || stopped || !every && !forced || document.hidden) return;
  try {
    const address = new URL(here);
    address.searchParams.set("part", "live");
    address.hash = "";
    const answer = await fetch(address, {headers: etag ? {"if-none-match": etag} : {}, cache: "no-store"});
    if (answer.status === 401) {
      stopped = true;
      say("Signed out.", "late");
      const next = encodeURIComponent(here.pathname.slice(root.length) + here.search);
      const link = {href: `${root}/sign-in?next=${next}`, textContent: "Sign in again"};
      live.lastElementChild.replaceWith(Object.assign(document.createElement("a"), link));
      return;
    }
    if (!answer.ok && answer.status !== 304) throw new Error(answer.status);
    const date = new Date(answer.headers.get("date") || Date.now());
    ahead = date - Date.now();
    if (answer.status === 200) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      read(page);
      take(page, forced);
    }
    failures = 0;
    say(every ? "Live" : "As of", every ? "" : "still");
    const looked = date.toLocaleTimeString("en-GB", {timeZone: live.dataset.tz});
    all("#live time,[data-looked]").forEach((place) => { place.textContent = looked; });
  } catch {
    failures += 1;
    say("Not updated since", "late");
  }
  plan();
};
const plan = () => {
  clearTimeout(timer);
  if (stopped || !every) return;
  let seconds = every;
  if (every < 5 && Date.now() - began > 300000) seconds = 15;
  if (Date.now() - touched > 600000) seconds = 60;
  if (failures) seconds = Math.max(seconds, [15, 30, 60][Math.min(failures, 3) - 1]);
  timer = setTimeout(poll, seconds * 1000 * (0.9 + Math.random() * 0.2));
};
["pointerdown", "keydown", "scroll"].forEach((name) => addEventListener(name, () => { touched = Date.now(); }, {passive: true}));
addEventListener("pointerdown", () => { pressed = true; });
addEventListener("pointerup", () => { pressed = false; });
document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
one("#news button")?.addEventListener("click", () => poll(true));
plan();

// Points of a plot: one stop for the keyboard, arrows within; what a point says stands below it.
const HIT = ".hits rect,.hits a";
const tell = (hit, on) => {
  const line = one("[data-line]", hit.closest("[data-plot]"));
  if (!line) return;
  line.dataset.newest ??= line.textContent;
  line.textContent = on ? one("title", hit).textContent : line.dataset.newest;
};
Object.entries({mouseover: true, focusin: true, mouseout: false, focusout: false}).forEach(([name, on]) => {
  document.addEventListener(name, ({target}) => {
    const hit = target.closest(HIT);
    if (hit) tell(hit, on);
  });
});
const move = (hit, key) => {
  const hits = all(HIT, hit.closest("[data-plot]")), at = hits.indexOf(hit);
  const to = hits[{ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: hits.length - 1}[key]];
  if (!to) return false;
  hit.tabIndex = -1;
  to.tabIndex = 0;
  to.focus({preventScroll: true});
  return true;
};

// Keys.
const rows = () => all("[data-row],.events summary").filter((row) => row.offsetParent);
const go = (path) => { location.href = root + path; };
const step = (by) => {
  const found = rows(), at = found.indexOf(document.activeElement);
  found[at < 0 ? (by > 0 ? 0 : found.length - 1) : Math.min(Math.max(at + by, 0), found.length - 1)]?.focus();
};
// On a row it is a form made here; on the incident's page its own buttons.
const act = (name, path) => {
  const row = document.activeElement.closest("li.row[id^=i-]"), {csrf, me} = document.body.dataset;
  if (!row) {
    const button = one(`[data-act=${name}]`);
    button?.click();
    if (button?.matches("summary")) one("input:not([type=hidden])", button.parentElement).focus();
    return;
  }
  if (!csrf) return;
  const to = `${root}/incidents/${row.id.slice(2)}`;
  if (!path) { location.href = `${to}#resolve`; return; }
  const form = Object.assign(document.createElement("form"), {method: "post", action: `${to}/${path}`});
  Object.entries({csrf, ...(name === "mine" && {assignee: me})}).forEach(([key, value]) => {
    form.append(Object.assign(document.createElement("input"), {type: "hidden", name: key, value}));
  });
  document.body.append(form);
  form.submit();
};
const follow = (rel) => one(`a[rel=${rel}]`)?.click();
const help = () => { const dialog = one("#keyboard"); if (dialog && !dialog.open) dialog.showModal(); };
const KEYS = {
  j: () => step(1), k: () => step(-1), o: () => document.activeElement.matches("[data-row],summary") && document.activeElement.click(),
  u: () => follow("up"), "[": () => follow("prev"), "]": () => follow("next"),
  a: () => act("acknowledge", "acknowledge"), r: () => act("resolve"), m: () => act("mine", "assign"), c: () => one("[data-act=comment]")?.focus(),
  "/": () => (one("[data-search]") || all("input[type=search]").find((field) => field.offsetParent) || {focus: () => go("/search")}).focus(),
  ".": () => poll(true), "?": help,
};
const PLACES = {o: "/", i: "/incidents", s: "/search", a: "/jobs", u: "/setup"};
let gone = 0;
addEventListener("keydown", (event) => {
  const target = event.target, field = target.matches("input:not([type=checkbox]),textarea,select,[contenteditable]");
  if (event.key === "Escape" && field) { target.blur(); return; }
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (target.matches(HIT) && move(target, event.key)) { event.preventDefault(); return; }
  if (!shortcuts || field || event.repeat || one("dialog[open]")) return;
  if (event.key === "g") { gone = Date.now(); return; }
  const place = Date.now() - gone < 1000 && PLACES[event.key];
  gone = 0;
  if (place) { event.preventDefault(); go(place); return; }
  if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
});
if (location.hash === "#resolve") act("resolve");
all("[data-scripted]").forEach((part) => { part.hidden = false; });
one("[data-help]")?.addEventListener("click", help);
})();
