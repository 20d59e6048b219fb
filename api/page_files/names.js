// Names to choose from while somebody types, and skills as chips.

const WAIT = 120;
let count = 0;

export function suggest(input, taken) {
  const list = document.createElement("ul");
  list.className = "offers";
  list.id = `offers-${++count}`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.suggest === "skill" ? "Skills to choose from" : "Job titles to choose from");
  input.after(list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) {
    input.setAttribute(name, value);
  }
  let timer = 0, asked = null, at = -1;

  function close() {
    clearTimeout(timer);
    asked?.abort();
    list.hidden = true;
    list.replaceChildren();
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(place) {
    list.children[at]?.setAttribute("aria-selected", "false");
    at = place;
    const item = list.children[at];
    if (!item) return input.removeAttribute("aria-activedescendant");
    item.setAttribute("aria-selected", "true");
    item.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", item.id);
  }

  function take(item) {
    input.value = item.textContent;
    close();
    taken?.(input.value);
    input.focus();
  }

  async function offer() {
    const prefix = input.value.trim();
    if (prefix.length < 2 || prefix.length > 100) return close();
    asked = new AbortController();
    try {
      const response = await fetch("/page/suggest", {
        method: "POST", signal: asked.signal, credentials: "omit", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ prefix, kind: input.dataset.suggest }),
      });
      if (!response.ok) return close();
      const found = (await response.json()).suggestions;
      if (document.activeElement !== input || !found.length) return close();
      list.replaceChildren(...found.map(({ text }, place) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${place}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.textContent = text;
        item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(item); });
        return item;
      }));
      at = -1;
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    } catch { /* names are a help, not needed */ }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    asked?.abort();
    timer = setTimeout(offer, WAIT);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const most = list.children.length;
    if (event.key === "ArrowDown") mark((at + 1) % most);
    else if (event.key === "ArrowUp") mark((at + most) % (most + 1) === most ? most - 1 : at <= 0 ? most - 1 : at - 1);
    else if (event.key === "Enter" && at >= 0) take(list.children[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
}

export function chips(input, list) {
  const names = [];

  function draw() {
    list.hidden = !names.length;
    list.replaceChildren(...names.map((name, place) => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-label", `Remove ${name}`);
      button.addEventListener("click", () => {
        names.splice(place, 1);
        draw();
        (list.querySelectorAll("button")[Math.min(place, names.length - 1)] || input).focus();
      });
      item.append(button);
      return item;
    }));
  }

  const own = {
    all: () => [...names],
    add(name) {
      for (const part of name.split(/[,;\n]/)) {
        const skill = part.trim();
        if (skill && !names.some((known) => known.toLowerCase() === skill.toLowerCase())) names.push(skill);
      }
      input.value = "";
      draw();
    },
    set(all) { names.length = 0; own.add(all.join(",")); },
    take() { if (input.value.trim()) own.add(input.value); },
  };
  // After the list of offers, which stops what it takes.
  setTimeout(() => input.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === ",") && input.value.trim()) {
      event.preventDefault();
      own.add(input.value);
    } else if (event.key === "Backspace" && !input.value && names.length) {
      names.pop();
      draw();
    }
  }));
  return own;
}
