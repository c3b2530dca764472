// Filter rules: put in order by mouse, finger and keyboard; words that fit each other. Without it buttons do the same.
(() => {
  document.documentElement.classList.add("scripted");
  const main = () => document.querySelector("main");
  const rules = () => document.getElementById("rules");
  const placed = (item) => [...rules().children].indexOf(item);

  // Says the new place to who does not see it; it stays while the page around it is renewed.
  const region = document.createElement("div");
  region.className = "visually-hidden";
  region.setAttribute("role", "status");
  document.body.append(region);
  const say = (item) => {
    const words = { place: first() + placed(item), all: rules().dataset.all };
    region.textContent = rules().dataset.said.replace(/\{(\w+)\}/g, (_all, name) => words[name]);
  };
  const first = () => Number(rules().dataset.first);

  // At once: while the page is still scrolling nothing can be measured.
  const scroll = (by) => scrollBy({ top: by, behavior: "instant" });

  // What was moved is sent, one after the other; several moves of one rule in a row are one.
  const waiting = [];
  let sending = false;
  const send = async (item) => {
    const one = { to: first() + placed(item), url: item.dataset.move };
    if (waiting.length && waiting.at(-1).url === one.url) waiting.pop();
    waiting.push(one);
    if (sending) return;
    sending = true;
    let text = "";
    try {
      while (waiting.length) {
        const { to, url } = waiting.shift();
        const body = new FormData(document.getElementById("rules-form"));
        body.set("to", to);
        text = await (await fetch(url, { method: "POST", body })).text();
      }
      renew(text);
    } catch {
      location.reload();
    } finally {
      sending = false;
    }
  };

  // The page as it is now, with the focus where it was and without a jump.
  const renew = (text) => {
    const focused = document.activeElement;
    const [id, top] = [focused.id, focused.getBoundingClientRect().top];
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("main");
    if (!fresh) return location.reload();
    main().replaceWith(fresh);
    window.htmx?.process(fresh);
    const again = id && document.getElementById(id);
    if (!again) return main().focus();
    scroll(again.getBoundingClientRect().top - top);
    again.focus({ preventScroll: true });
  };

  // The neighbours move, not the rule itself: so it keeps the focus and the finger on it.
  const step = (item, by) => {
    const other = by < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!other) return false;
    if (by < 0) item.after(other);
    else item.before(other);
    return true;
  };
  const renumber = () => {
    const [all, from, many] = [[...rules().children], first(), Number(rules().dataset.all)];
    all.forEach((item, index) => {
      item.querySelector(".rule-place").textContent = from + index;
      const ends = { up: from + index === 1, down: from + index === many };
      for (const button of item.querySelectorAll("[data-step]")) {
        button.setAttribute("aria-disabled", String(ends[button.dataset.step]));
      }
    });
  };
  const settle = (item) => {
    renumber();
    say(item);
    send(item);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#rules [data-step]");
    if (!button) return;
    const [item, top] = [button.closest("li"), button.getBoundingClientRect().top];
    if (button.getAttribute("aria-disabled") === "true") event.preventDefault();
    else if (step(item, button.dataset.step === "up" ? -1 : 1)) {
      event.preventDefault();
      scroll(button.getBoundingClientRect().top - top); // it stays under the finger, for the next press
      settle(item);
    } // else it goes to another page: the server knows how
  });

  document.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Escape" && dragged) return drop(false);
    const item = by && event.altKey && !event.ctrlKey && !event.metaKey && event.target.closest("#rules > li");
    if (!item) return;
    event.preventDefault();
    if (step(item, by)) {
      settle(item);
      item.scrollIntoView({ block: "nearest" });
    } else say(item);
  });

  // Dragging: the rule follows the pointer, and the others make room.
  let dragged = null;
  const follow = () => {
    if (!dragged) return;
    const { item, held } = dragged;
    const edge = 90;
    if (dragged.y < edge) scroll(-Math.ceil((edge - dragged.y) / 6));
    if (dragged.y > innerHeight - edge) scroll(Math.ceil((dragged.y - innerHeight + edge) / 6));
    item.style.transform = "";
    const middle = (other) => other.getBoundingClientRect().top + other.offsetHeight / 2;
    const [before, after] = [item.previousElementSibling, item.nextElementSibling];
    const top = dragged.y - held;
    if (before && top < middle(before)) step(item, -1);
    else if (after && top + item.offsetHeight > middle(after)) step(item, 1);
    item.style.transform = `translateY(${top - item.getBoundingClientRect().top}px)`;
    requestAnimationFrame(follow);
  };
  const drop = (keep) => {
    const { item, from } = dragged;
    dragged = null;
    item.style.transform = "";
    item.classList.remove("dragged");
    while (!keep && placed(item) > from) step(item, -1);
    while (!keep && placed(item) < from) step(item, 1);
    if (placed(item) !== from) settle(item);
  };
  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("#rules .grip");
    if (!grip || event.button || dragged) return;
    event.preventDefault();
    const item = grip.closest("li");
    grip.setPointerCapture(event.pointerId);
    dragged = { item, from: placed(item), y: event.clientY, held: event.clientY - item.getBoundingClientRect().top };
    item.classList.add("dragged");
    requestAnimationFrame(follow);
  });
  document.addEventListener("pointermove", (event) => {
    if (dragged) dragged.y = event.clientY;
  });
  document.addEventListener("pointerup", () => dragged && drop(true));
  document.addEventListener("pointercancel", () => dragged && drop(false));

  // Of the words between field and value only those that fit the field are offered.
  const everything = new WeakMap();
  const fit = (row) => {
    const [field, words] = [row.querySelector("[data-field]"), row.querySelector("[data-op]")];
    if (!field || !words) return;
    if (!everything.has(words)) everything.set(words, [...words.options]);
    const chosen = words.value;
    const fitting = everything.get(words).filter((one) => one.dataset.for.split(" ").includes(field.value));
    words.replaceChildren(...fitting);
    const same = fitting.find((one) => one.value === chosen) || fitting[0];
    if (same) same.selected = true;
    const value = row.querySelector("input.no-attachment");
    value.inputMode = field.value === "spam" ? "numeric" : "text";
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-field]")) fit(event.target.closest(".clause"));
  });
  const fitAll = (within) => within.querySelectorAll(".clause").forEach(fit);

  // A number with a slider beside it, and what it means in words.
  const slide = (number) => {
    if (number.dataset.slid) return;
    number.dataset.slid = "yes";
    const box = document.createElement("div");
    box.className = "slider";
    const slider = Object.assign(document.createElement("input"), { type: "range", min: number.min, max: number.max });
    slider.setAttribute("aria-label", number.dataset.slider);
    const word = document.createElement("output");
    const tell = () => {
      const steps = JSON.parse(number.dataset.words);
      word.textContent = (steps.find(([most]) => Number(number.value) <= most) || steps.at(-1))[1];
      slider.value = number.value;
      slider.setAttribute("aria-valuetext", `${number.value}: ${word.textContent}`);
    };
    slider.addEventListener("input", () => {
      number.value = slider.value;
      tell();
    });
    number.addEventListener("input", tell);
    number.before(box);
    box.append(slider, word);
    tell();
  };
  const ready = (within) => {
    fitAll(within);
    within.querySelectorAll("input[data-slider]").forEach(slide);
  };
  document.addEventListener("htmx:load", (event) => ready(event.detail.elt));
  ready(document);
})();
