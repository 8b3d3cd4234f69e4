// Equations, code, text and tables that scroll sideways can be reached with the keyboard.
const BOXES = ".katex-display, .highlight pre, .cell_output pre, .cell_output .text_html, .pst-scrollable-table-container, figure";
const reach = () => document.querySelectorAll(BOXES).forEach((box) => {
  if (!box.clientWidth) return;  // folded away; asked again when it opens
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
});
["load", "resize"].forEach((event) => window.addEventListener(event, reach));
document.addEventListener("toggle", reach, true);
// A page opened as a file may not fetch its neighbours: search then lists pages without excerpts.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// On a narrow page the search field is out of sight, and the button in the header opens the dialog instead.
const search = () => {
  const field = document.querySelector(".site-search input"), dialog = document.getElementById("pst-search-dialog");
  if (!dialog || dialog.open || (field && field.getBoundingClientRect().right > 0)) return;
  dialog.showModal();
  dialog.querySelector("input").focus();
};
document.addEventListener("click", (event) => { if (event.target.closest(".search-button, .search-button__button")) search(); });
document.addEventListener("keydown", (event) => { if (event.key === "k" && (event.ctrlKey || event.metaKey)) search(); });

// What search shows of a page holds each equation once.
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const text = Search.htmlToText;
  Search.htmlToText = (html, anchor) => text(html.replace(/<span class="katex-mathml"><math.*?<\/math><\/span>/gs, ""), anchor);
});

// Paper is white.
let theme;
window.addEventListener("beforeprint", () => { theme = document.documentElement.dataset.theme; document.documentElement.dataset.theme = "light"; });
window.addEventListener("afterprint", () => { document.documentElement.dataset.theme = theme; });
