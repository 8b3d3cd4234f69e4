// The exercises: fields for the numbers, and the reply that `check_exercise` gives (helpers/course/exercises.py; a test
// compares the two word for word). What was solved is kept in this browser only, and nothing is sent.
(() => {
  const KEPT = "which-standard-error.solved";
  const SAME = 1e-6;  // relative: what is left of another order of adding up

  const read = (element) => JSON.parse(element.querySelector("script").textContent);

  // ---- the reply ----------------------------------------------------------------------------------

  const count = (right) => right.length === 1 ? "one number" : `${right.length} numbers`;

  // A number with a comma or a point as its decimal mark; null if the text is none.
  const number = (text) => {
    const plain = text.replaceAll("\u2212", "-").replace(",", ".");
    if (/^[+-]?(inf|infinity|nan)$/i.test(plain)) return NaN;
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : null;
  };

  // Whether two numbers agree, or one is the other rounded to so many digits or more.
  const same = (given, value, digits) => {
    if (Math.abs(given - value) <= SAME * Math.abs(value)) return true;
    for (let k = digits; k < 16; k++) if (given === Number(value.toPrecision(k))) return true;
    return false;
  };

  const reply = ({ answer: right, what, start, hints }, texts) => {
    const written = texts.map((text) => text.trim()).filter(Boolean);
    const given = written.map(number);
    const odd = given.indexOf(null);
    if (odd >= 0) return `the answer must be ${count(right)}, not '${written[odd]}'.`;
    if (given.length !== right.length) {
      return `the answer is ${count(right)} (${what.join(", ")}); yours has ${given.length}.`;
    }
    if (!given.every(Number.isFinite)) return "the answer must be finite.";
    const near = given.map((value, k) => same(value, right[k], 4));
    if (near.every(Boolean)) return "right.";
    for (const { wrong, hint } of hints) {
      if (wrong.every((value, k) => value === null || same(given[k], value, 4))) return `not yet. ${hint}`;
    }
    if (given.every((value, k) => same(value, right[k], 2))) {
      return "nearly: give four digits, and round only at the end.";
    }
    const good = what.filter((_, k) => near[k]);
    if (good.length) return `not yet. Right already: ${good.join(", ")}. For the rest: ${start}`;
    return `not yet. ${start}`;
  };

  // ---- what was solved: without a store, or with something else in it, nothing is remembered ----------

  const solved = () => {
    try { return new Set(JSON.parse(localStorage.getItem(KEPT)) ?? []); } catch { return new Set(); }
  };
  const keep = (keys) => {
    try { localStorage.setItem(KEPT, JSON.stringify([...keys].sort())); } catch { /* refused */ }
  };

  // ---- on the page ----------------------------------------------------------------------------------

  customElements.define("se-exercise", class extends HTMLElement {
    static reply = reply;

    connectedCallback() {
      this.exercise = read(this);
      const { key, what, answer } = this.exercise;
      const keys = answer.some((value) => value < 0) ? "text" : "decimal";  // a phone's decimal keys have no minus
      this.inputs = what.map(() => make("input", { type: "text", inputmode: keys, autocomplete: "off", spellcheck: "false" }));
      const labels = what.map((name, k) => make("label", {}, make("span", {}, name), this.inputs[k]));
      this.mark = make("span", { class: "exercise-mark" });
      this.says = make("p", { role: "status", class: "exercise-reply" });
      const form = make("form", {}, make("fieldset", {},
        make("legend", {}, `Your answer to ${key}`), ...labels, make("button", {}, "Check"), this.mark), this.says);
      form.addEventListener("submit", (event) => { event.preventDefault(); this.check(); });
      this.append(form);
      if (solved().has(key)) this.mark.textContent = "solved";
    }

    check() {
      const { key } = this.exercise;
      const said = reply(this.exercise, this.inputs.map((input) => input.value));
      for (const input of this.inputs) {
        if (Number.isFinite(number(input.value.trim()))) input.removeAttribute("aria-invalid");
        else input.setAttribute("aria-invalid", "true");
      }
      this.says.replaceChildren(`${key}: ${said}`);
      if (said !== "right.") return;
      this.mark.textContent = "solved";
      keep(solved().add(key));
    }
  });

  // On the page of all exercises: which are solved, and how many.
  customElements.define("se-solved", class extends HTMLElement {
    connectedCallback() {
      this.together = read(this);
      this.says = make("p", { role: "status" });
      this.forget = make("button", { type: "button" }, "Forget what was solved");
      this.forget.addEventListener("click", () => { keep([]); this.show(); });
      this.append(this.says, this.forget);
      this.show();
      window.addEventListener("pageshow", () => this.show());  // come back to from a chapter
      window.addEventListener("storage", () => this.show());  // solved in another tab
    }

    show() {
      const done = solved();
      const whole = Object.keys(this.together).filter((key) => this.together[key].every((part) => done.has(part)));
      (this.marks ?? []).forEach((mark) => mark.remove());
      this.marks = [];
      for (const link of document.querySelectorAll("article li > a, article li > p > a")) {
        if (!whole.includes(link.textContent.split(" ")[0])) continue;
        this.marks.push(make("span", { class: "exercise-mark" }, "solved"));
        link.after(" ", this.marks.at(-1));
      }
      this.says.textContent = `Solved in this browser: ${whole.length} of ${Object.keys(this.together).length}.`;
      this.forget.hidden = done.size === 0;
    }
  });
})();
