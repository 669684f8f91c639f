import { h } from "./dom";

/** Dark or light: what the system prefers, until the switch is used. */
export function themeSwitch(): HTMLElement {
  const root = document.documentElement;
  const prefers = window.matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefers.matches);
  const button = h("button", { type: "button", "data-theme-switch": "" });
  const label = () => (button.textContent = dark() ? "Light theme" : "Dark theme");
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    label();
  });
  prefers.addEventListener("change", label);
  label();
  return button;
}

/** Shows or hides the explanations. */
export function explanationSwitch(): HTMLElement {
  const button = h("button", { type: "button", "data-explain-switch": "" }, "Hide explanations");
  button.addEventListener("click", () => {
    const hidden = document.documentElement.classList.toggle("expert");
    button.textContent = hidden ? "Show explanations" : "Hide explanations";
  });
  return button;
}
