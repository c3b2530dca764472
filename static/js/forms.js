// Small help for forms; without it they work all the same.
(() => {
  // A password may be looked at while it is typed.
  for (const field of document.querySelectorAll("input[data-show]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-outline-secondary show-password";
    button.setAttribute("aria-controls", field.id);
    const say = () => {
      button.textContent = field.type === "password" ? field.dataset.show : field.dataset.hide;
      button.setAttribute("aria-pressed", String(field.type !== "password"));
    };
    button.addEventListener("click", () => {
      field.type = field.type === "password" ? "text" : "password";
      say();
    });
    const row = document.createElement("div");
    row.className = "password-row";
    field.replaceWith(row);
    row.append(field, button);
    say();
  }

  // What was refused gets the focus, on browsers that ignore autofocus here too.
  const errors = document.getElementById("errors");
  if (errors) errors.focus();

  // A search inside a form looks for something; it does not send the form.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-find]")) event.preventDefault();
  });

  // A form is sent once.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    const buttons = event.target.querySelectorAll("button[type=submit]");
    setTimeout(() => buttons.forEach((button) => (button.disabled = true)), 0);
  });
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form button[type=submit]:disabled")) button.disabled = false;
  });
})();
