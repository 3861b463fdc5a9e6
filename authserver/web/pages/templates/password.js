"use strict";

for (const button of document.querySelectorAll("button[data-hide]")) {
  const field = document.getElementById(button.getAttribute("aria-controls"));
  const words = { password: button.textContent, text: button.dataset.hide };
  const turn = (type) => {
    field.type = type;
    button.textContent = words[type];
  };
  button.addEventListener("click", () => turn(field.type === "password" ? "text" : "password"));
  // Browsers remember what was typed into a field of text.
  field.form.addEventListener("submit", () => turn("password"));
  window.addEventListener("pageshow", () => turn("password"));
  button.hidden = false;
}
