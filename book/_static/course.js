// What the other scripts of a page, which run after this one, make its parts with.
const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

// Equations, code, text and tables that scroll sideways can be reached with the keyboard.
const BOXES = ".katex-display, .highlight pre, .cell_output pre, .cell_output .text_html, .pst-scrollable-table-container, figure";
const reach = () => document.querySelectorAll(BOXES).forEach((box) => {
  if (!box.clientWidth) return;  // folded away; asked again when it opens
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
});
["load", "resize"].forEach((event) => window.addEventListener(event, reach));
document.addEventListener("toggle", reach, true);
document.addEventListener("change", reach);  // another tab
// On a narrow page the search field is out of sight, and the button in the header opens the dialog instead.
const search = () => {
  const field = document.querySelector(".site-search input"), dialog = document.getElementById("pst-search-dialog");
  if (!dialog || dialog.open || (field && field.getBoundingClientRect().right > 0)) return;
  dialog.showModal();
  dialog.querySelector("input").focus();
};
document.addEventListener("click", (event) => { if (event.target.closest(".search-button, .search-button__button")) search(); });
document.addEventListener("keydown", (event) => { if (event.key === "k" && (event.ctrlKey || event.metaKey)) search(); });

// On a phone a figure fits, and a button makes it as large as it was drawn; one with a width of its own was drawn for it.
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".bd-article figure:has(img:not([style*=width]))").forEach((figure) => {
  const button = make("button", { class: "enlarge" });
  const show = () => { button.textContent = figure.classList.contains("larger") ? "Fit the figure to the page" : "Enlarge the figure"; };
  button.addEventListener("click", () => { figure.classList.toggle("larger"); show(); reach(); });
  show();
  figure.querySelector("figcaption")?.before(button);
}));

// Paper is white, and nothing on it is folded.
let theme, folded;
window.addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((fold) => { fold.open = true; });
});
window.addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = theme;
  folded.forEach((fold) => { fold.open = false; });
});
