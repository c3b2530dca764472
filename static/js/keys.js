// Keys that save time: `/` search, `?` help, `g h` home, arrows in lists, Escape closes what opened last.
(() => {
  const places = { h: "/", w: "/waiting/", p: "/people/", m: "/mailboxes/", a: "/aliases/" };
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");
  let afterG = 0;

  const openKeys = (event) => {
    const dialog = document.getElementById("keys");
    if (!dialog || dialog.open) return;
    event.preventDefault();
    closeMenu();
    dialog.showModal();
  };

  const closeMenu = () => {
    const menu = document.querySelector("details.more[open]");
    if (!menu) return false;
    menu.open = false;
    return menu;
  };

  const search = (event) => {
    const field = document.querySelector("[data-search]");
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.select();
  };

  const move = (event, step) => {
    const links = [...document.querySelectorAll(".row-link")];
    const here = links.indexOf(document.activeElement);
    if (here < 0 && !document.activeElement.matches("body, [data-search], main")) return;
    const next = links[here + step] || (here === 0 && step < 0 && document.querySelector("[data-search]"));
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  const go = (event) => {
    const place = Date.now() - afterG < 1500 && places[event.key];
    afterG = event.key === "g" ? Date.now() : 0;
    if (!place) return;
    const link = document.querySelector(`header a[href="${place}"]`);
    if (link) link.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inField = typing(event.target);
    if (event.key === "Escape") {
      const menu = closeMenu();
      if (menu) menu.querySelector("summary").focus();
      else if (inField && !document.querySelector("dialog[open]")) event.target.blur();
    } else if (event.key === "ArrowDown" && (!inField || event.target.matches("[data-search]"))) move(event, 1);
    else if (event.key === "ArrowUp" && !inField) move(event, -1);
    else if (inField || document.querySelector("dialog[open]")) return;
    else if (event.key === "/") search(event);
    else if (event.key === "?") openKeys(event);
    else go(event);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-open]")) openKeys(event);
    else if (!event.target.closest("details.more")) closeMenu();
  });
})();
