// The answer: lines and what they met, what is told of an opened occupation, trials, next steps, side by side, and saving.

let root = null, query = null, say = null, added = [], bar = null, round = 0;

const post = (path, body, accept = "text/html") => fetch(path, {
  method: "POST", credentials: "omit", cache: "no-store", body: JSON.stringify(body),
  headers: { "Content-Type": "application/json", Accept: accept },
});

export function forget() {
  added = [];
  round++;
  bar?.remove();
  bar = null;
}

export function answered(where, asking, saying) {
  root = where;
  say = saying;
  // What was asked stays what the answer is about, whatever is typed after it.
  const asked = asking();
  query = () => asked;
  for (const match of root.querySelectorAll(".match")) match.addEventListener("toggle", () => opened(match));
  // Where there is room for the text beside it. On a phone the list comes first.
  if (matchMedia("(min-width: 62rem)").matches) root.querySelector(".match")?.setAttribute("open", "");
  root.firstElementChild.addEventListener("click", clicked);
  root.firstElementChild.addEventListener("change", changed);
  // What a page that was answered without this module has on trial already.
  added = [...root.querySelectorAll("#tried input")].map((box) => box.value);
  if (added.length) trial(false);
  root.querySelector("#advice")?.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.value === "moves") return moves();
    const line = root.querySelector("#try-line"), words = line.value.trim();
    if (words && !added.includes(words)) added.push(words);
    line.value = "";
    if (added.length) trial(true);
  });
}

// A piece of the page from the service, put into `place`; words where it cannot be had. What is late for another answer is dropped.
async function put(place, path, body) {
  const mine = round;
  place.setAttribute("aria-busy", "true");
  try {
    const response = await post(path, body);
    const page = (response.headers.get("Content-Type") || "").startsWith("text/html") ? await response.text() : null;
    if (mine !== round) return false;
    if (page === null) throw new Error();
    const read = new DOMParser().parseFromString(page, "text/html");
    read.querySelectorAll(".refusal a").forEach((link) => link.parentElement.remove());
    place.replaceChildren(...read.body.childNodes);
    place.querySelectorAll("#answer-h").forEach((head) => head.removeAttribute("id"));
    return response.ok;
  } catch {
    if (mine !== round) return false;
    const words = document.createElement("p");
    words.textContent = "This could not be loaded. Try again in a moment.";
    place.replaceChildren(words);
    say(words.textContent);
    return false;
  } finally {
    place.removeAttribute("aria-busy");
  }
}

function light(match) {
  const numbers = new Set(match?.dataset.numbers.split(" "));
  for (const mark of root.querySelectorAll("mark")) mark.classList.toggle("on", numbers.has(mark.dataset.n));
}

async function opened(match) {
  const last = [...root.querySelectorAll(".match[open]")];
  light(match.open ? match : last.at(-1));
  const place = match.querySelector("[data-more]");
  if (!match.open || place.dataset.got) return;
  place.dataset.got = "1";
  if (!await put(place, "/page/more", { ...query(), code: place.dataset.more })) delete place.dataset.got;
  for (const box of place.querySelectorAll("[data-add]")) box.checked = added.includes(box.dataset.add);
}

function clicked(event) {
  const link = event.target.closest("a.ref"), tool = event.target.closest("[data-do]"), mark = event.target.closest("mark");
  if (link || mark) {
    const target = root.querySelector((link || mark.nextElementSibling).getAttribute("href"));
    if (!target) return;
    event.preventDefault();
    const match = (link || mark).closest(".paper") ? target.closest(".match") : (link || mark).closest(".match");
    match.open = true;
    light(match);
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "center" });
  } else if (tool) {
    tools[tool.dataset.do]();
  }
}

function changed(event) {
  const box = event.target;
  if (box.dataset.add !== undefined) {
    added = added.filter((line) => line !== box.dataset.add);
    if (box.checked) added.push(box.dataset.add);
    for (const other of root.querySelectorAll("[data-add]")) other.checked = added.includes(other.dataset.add);
    trial(false);
  } else if (box.dataset.compare !== undefined) {
    const boxes = [...root.querySelectorAll("[data-compare]")], on = boxes.filter((one) => one.checked);
    for (const one of boxes) one.disabled = on.length >= 3 && !one.checked;
    say(on.length === 3 ? "Three chosen, which is the most." : `${on.length} chosen to stand side by side.`);
    draw();
  }
}

function button(words, action, kind = "") {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: words, className: kind });
  made.addEventListener("click", action);
  return made;
}

// The bar at the bottom says what a trial changed and what is chosen to compare, wherever one has scrolled to.
function draw() {
  const codes = [...root.querySelectorAll("[data-compare]:checked")].map((box) => box.dataset.compare);
  const said = root.querySelector("#try-out strong")?.textContent;
  bar?.remove();
  bar = null;
  if (!codes.length && !said) return;
  bar = document.createElement("div");
  bar.className = "float";
  bar.setAttribute("role", "region");
  bar.setAttribute("aria-label", "Your trial and choice");
  if (said && added.length) {
    bar.append(Object.assign(document.createElement("p"), { textContent: `With ${added.length} added: ${said}` }));
    bar.append(button("See the change", () => reach("#try-out-h")), button("Undo", undo));
  }
  if (codes.length) {
    const go = button(codes.length < 2 ? "Choose one more to compare" : `Compare ${codes.length}`, () => compare(codes));
    go.disabled = codes.length < 2;
    bar.append(go);
  }
  document.body.append(bar);
}

function reach(selector) {
  const target = root.querySelector(selector);
  target?.focus({ preventScroll: true });
  target?.scrollIntoView({ block: "center" });
}

function undo() {
  const gone = added.pop();
  for (const box of root.querySelectorAll("[data-add]")) box.checked = added.includes(box.dataset.add);
  say(`Taken back: ${gone}.`);
  trial(false);
}

async function trial(move) {
  const list = root.querySelector("#tried"), out = root.querySelector("#try-out");
  list.hidden = !added.length;
  list.replaceChildren(...added.map((line) => {
    const item = document.createElement("li"), remove = button(line, () => {
      added = added.filter((other) => other !== line);
      for (const box of root.querySelectorAll("[data-add]")) box.checked = added.includes(box.dataset.add);
      trial(false);
      root.querySelector("#try-line").focus();
    });
    remove.setAttribute("aria-label", `Take back ${line}`);
    item.append(remove);
    return item;
  }));
  if (!added.length) {
    out.replaceChildren();
    draw();
    return;
  }
  if (!await put(out, "/page/whatif", { ...query(), add: added })) return;
  say(out.querySelector("strong").textContent);
  draw();
  if (move) reach("#try-out-h");
}

async function moves() {
  const wish = { top: 8 }, letter = root.querySelector("#interests").value;
  for (const box of root.querySelectorAll("#wishes input:checked")) wish[box.name] = box.name === "pays_more" ? 0.1 : true;
  if (letter) wish.interests = [letter];
  const out = root.querySelector("#moves-out");
  if (!await put(out, "/page/moves", { ...query(), ...wish })) return;
  say(`${out.querySelectorAll(".moves > li").length} occupations to go on to.`);
  out.querySelector("#moves-h")?.focus();
}

async function compare(codes) {
  if (await put(root.querySelector("#compare-out"), "/page/compare", { codes })) {
    const head = root.querySelector("#compare-h");
    head.focus({ preventScroll: true });
    head.scrollIntoView({ block: "start" });
  }
}

async function json() {
  const response = await post("/page/match", { ...query(), return_text: false }, "application/json");
  if (!response.ok) throw new Error();
  return response.json();
}

function save(name, type, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say(`Saved as ${name}.`);
}

// A spreadsheet takes cells that begin so for formulas.
const cell = (value) => `"${String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;

const COLUMNS = ["place", "code", "occupation", "chance", "median_pay_a_year", "pay_source", "job_zone", "your_words", "met"];

function rows(found) {
  return found.matches.flatMap((match) => (match.evidence.length ? match.evidence : [{}]).map((pair) => [
    match.rank, match.code, match.title, match.score, match.median_wage?.annual, match.median_wage?.source, match.job_zone,
    pair.phrase, pair.statement,
  ]));
}

function plain() {
  const lines = ["Occupations that fit what I wrote", ""];
  for (const match of root.querySelectorAll(".match")) {
    const read = (selector) => match.querySelector(selector)?.textContent.replace(/\s+/g, " ").trim() || "";
    const facts = [...match.querySelectorAll(".facts > span")].map((one) => one.textContent.trim()).join("; ");
    lines.push(`${match.id.slice(1)}. ${read("h3")} (${match.dataset.code})`, `   ${read(".fit")}`, `   ${facts}`);
    for (const proof of match.querySelectorAll(".proofs li")) {
      lines.push(`   - “${proof.querySelector("q").textContent.replace(/\s+/g, " ")}” ${proof.querySelector(".met").textContent.replace(/\s+/g, " ").trim()}`);
    }
  }
  lines.push("", "A starting point, not a hiring decision.");
  return lines.join("\n");
}

async function tried(action) {
  try {
    await action();
  } catch {
    say("That did not work. Try again in a moment.");
  }
}

const tools = {
  print: () => print(),
  json: () => tried(async () => save("occupations.json", "application/json", JSON.stringify(await json(), null, 1))),
  csv: () => tried(async () => {
    const body = [COLUMNS, ...rows(await json())].map((row) => row.map(cell).join(",")).join("\r\n");
    save("occupations.csv", "text/csv", `\ufeff${body}\r\n`);
  }),
  copy: () => tried(async () => {
    try {
      await navigator.clipboard.writeText(plain());
    } catch {
      // Without https there is no clipboard to write to but this one.
      const area = Object.assign(document.createElement("textarea"), { value: plain() });
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) throw new Error();
    }
    say("Copied.");
  }),
};

// On paper the first three are opened, then it is as it was.
let shut = [];
addEventListener("beforeprint", () => {
  shut = [...document.querySelectorAll(".match")].slice(0, 3).filter((match) => !match.open);
  for (const match of shut) match.open = true;
});
addEventListener("afterprint", () => {
  for (const match of shut) match.open = false;
});
