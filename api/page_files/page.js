// The form: what is given is sent, and the answer is put below it. Nothing is kept but what stands on the page.
import { answered, forget } from "./answer.js";
import { chips, suggest } from "./names.js";

const $ = (id) => document.getElementById(id);
const form = $("form"), text = $("text"), file = $("file"), title = $("title"), status = $("status"), answer = $("answer");
const MOST_BYTES = 5 * 1024 * 1024, MOST_TRIES = 5;
let chosen = null, running = null;

document.documentElement.classList.add("has-js");
suggest(title);
const skills = chips($("skills"), $("chips"));
suggest($("skills"), (name) => skills.add(name));
skills.take();
$("skills-hint").textContent = "Press Enter after each one.";
if (!answer.hidden && answer.querySelector(".answer")) answered(answer, query, say);

function say(words) { status.textContent = words; }

function query() {
  const asked = {};
  if (text.value.trim()) asked.text = text.value;
  if (title.value.trim()) asked.title = title.value.trim();
  if (skills.all().length) asked.skills = skills.all();
  return asked;
}

function choose(found) {
  chosen = found || null;
  $("chosen").hidden = !chosen;
  $("chosen").firstElementChild.textContent = chosen ? `Chosen: ${chosen.name}` : "";
  if (!chosen) file.value = "";
}
file.addEventListener("change", () => choose(file.files[0]));
$("chosen").querySelector("button").addEventListener("click", () => { choose(null); file.focus(); });

const drop = $("drop");
for (const kind of ["dragover", "drop", "dragleave"]) {
  drop.addEventListener(kind, (event) => {
    const files = event.dataTransfer?.types.includes("Files");
    if (files) event.preventDefault();
    drop.classList.toggle("over", kind === "dragover" && files);
    if (kind === "drop" && files && event.dataTransfer.files[0]) {
      choose(event.dataTransfer.files[0]);
      form.requestSubmit($("send"));
    }
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const example = event.submitter?.name === "example" ? event.submitter.dataset : null;
  if (example) {
    choose(null);
    text.value = example.text;
    title.value = example.title;
    skills.set(example.skills.split(",").map((skill) => skill.trim()).filter(Boolean));
  } else {
    skills.take();
  }
  ask();
});

function refuse(heading, ...advice) {
  const section = document.createElement("section"), head = document.createElement("h2"), list = document.createElement("ul");
  section.className = "refusal";
  section.setAttribute("aria-labelledby", "answer-h");
  head.id = "answer-h";
  head.tabIndex = -1;
  head.textContent = heading;
  for (const line of advice) list.append(Object.assign(document.createElement("li"), { textContent: line }));
  section.append(head, list);
  return section;
}

const pause = (seconds, signal) => new Promise((done, failed) => {
  const timer = setTimeout(done, seconds * 1000);
  signal.addEventListener("abort", () => { clearTimeout(timer); failed(new DOMException("", "AbortError")); });
});

async function send(asked, signal) {
  let body = JSON.stringify(asked);
  const headers = { Accept: "text/html" };
  if (chosen) {
    body = new FormData();
    // Its name stays here.
    body.append("file", chosen, "file");
    body.append("options", JSON.stringify(asked));
  } else {
    headers["Content-Type"] = "application/json";
  }
  for (let tries = 1; ; tries++) {
    const response = await fetch("/page/match", { method: "POST", body, headers, signal, cache: "no-store", credentials: "omit" });
    if (![429, 503].includes(response.status) || tries === MOST_TRIES) return response;
    let left = Math.min(60, Number(response.headers.get("Retry-After")) || 1);
    for (; left > 0; left--) {
      say(`Many people are asking right now. Trying again in ${left} ${left === 1 ? "second" : "seconds"}. Nothing is lost.`);
      await pause(1, signal);
    }
    say("Trying again …");
  }
}

async function ask() {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const asked = query(), withFile = chosen;
  forget();
  answer.replaceChildren();
  if (chosen && chosen.size > MOST_BYTES) {
    return show(refuse("This file is too large.", "A file may have up to 5 MB. Leave out pictures and pages that are not about your work.",
      "Or open it, copy the text, and paste it into the box."));
  }
  answer.hidden = false;
  // Room enough from now on, so that nothing moves when the answer comes.
  answer.classList.add("room");
  answer.setAttribute("aria-busy", "true");
  status.scrollIntoView({ block: "start" });
  say(chosen ? "Reading your file …" : "Reading …");
  const slow = setTimeout(() => say("Still reading. Long texts take a little longer …"), 2500);
  try {
    const response = await send(asked, signal);
    const kind = response.headers.get("Content-Type") || "";
    if (kind.startsWith("text/html")) {
      const read = new DOMParser().parseFromString(await response.text(), "text/html");
      show(read.body.firstElementChild);
      if (answer.querySelector(".answer")) {
        if (withFile) await takeText(withFile);
        answered(answer, query, say);
      }
    } else if (response.status === 429) {
      show(refuse("You have asked very often in a short time.", "Wait a minute, then try again. Nothing is lost."));
    } else if (response.status === 401) {
      show(refuse("This service asks for a key, so the page cannot be used here."));
    } else if (response.status === 413) {
      show(refuse("This is too large.", "A file may have up to 5 MB, a text up to 200,000 letters."));
    } else {
      show(refuse("That did not work.", "Try again in a moment. What you wrote is still in the box."));
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    show(refuse(navigator.onLine ? "The service cannot be reached." : "You seem to be offline.",
      "What you wrote is still in the box. Check your connection, then press “Find occupations” again."));
  } finally {
    clearTimeout(slow);
    if (running?.signal === signal) {
      answer.removeAttribute("aria-busy");
    }
  }
}

function show(section) {
  answer.hidden = false;
  answer.replaceChildren(section);
  const head = answer.querySelector("#answer-h");
  const first = answer.querySelector(".match h3");
  const count = answer.querySelectorAll(".match").length;
  say(first ? `${count} occupations found. First: ${first.textContent}.` : "");
  head.focus({ preventScroll: true });
  // A refusal stands with the form above it, which is what can be mended.
  head.scrollIntoView({ block: first ? "start" : "center" });
}

// What was read in a file goes into the box, so that a misreading can be mended there.
async function takeText(from) {
  const paper = answer.querySelector('.paper[data-source="file"]');
  const read = paper ? paper.textContent : await from.text();
  const typed = text.value.trim();
  text.value = typed && typed !== read.trim() ? `${typed}\n\n${read}` : read;
  choose(null);
}
