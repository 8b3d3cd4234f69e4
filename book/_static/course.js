// Equations, code, text and tables that scroll sideways can be reached with the keyboard.
const BOXES = ".katex-display, .highlight pre, .cell_output pre, .cell_output .text_html, .pst-scrollable-table-container";
const reach = () => document.querySelectorAll(BOXES).forEach((box) => {
  if (!box.clientWidth) return;  // folded away; asked again when it opens
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
});
["load", "resize"].forEach((event) => window.addEventListener(event, reach));
document.addEventListener("toggle", reach, true);
// A page opened as a file may not fetch its neighbours: search then lists pages without excerpts.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
