// The calculator on its page: paste, file, drop or example in, the answer out; refusals and results are announced.
// All of it happens here, in the reader's browser; nothing is sent and nothing is kept.
(() => {
  const { words, button } = calculator,
    { general, rows: countRows, name } = words;
  const MOST = 50e6,
    LONG = 20000; // letters of a file, and of what is pasted

  const decoded = (bytes) => {
    const [a, b] = bytes;
    if (a === 0xff && b === 0xfe) return ["utf-16le", ""];
    if (a === 0xfe && b === 0xff) return ["utf-16be", ""];
    try {
      return ["utf-8", new TextDecoder("utf-8", { fatal: true }).decode(bytes)];
    } catch {
      return ["windows-1252", ""];
    }
  };

  customElements.define(
    "se-calculator",
    class extends HTMLElement {
      connectedCallback() {
        Object.assign(this, JSON.parse(this.querySelector("script").textContent));
        this.chosen = {};
        this.file = null;
        this.replaceChildren(this.form(), this.status, this.heard, this.out);
        this.addEventListener("dragover", (event) => {
          event.preventDefault();
          this.classList.add("over");
        });
        this.addEventListener("dragleave", () => this.classList.remove("over"));
        this.addEventListener("drop", (event) => {
          event.preventDefault();
          this.classList.remove("over");
          const [file] = event.dataTransfer.files;
          if (file) this.take(file);
          else this.show(event.dataTransfer.getData("text"));
        });
        window.addEventListener("resize", () => this.draw());
      }

      // ---- what is asked ------------------------------------------------------------------------------

      form() {
        const kind = (value, text, checked) => {
          const radio = make("input", { type: "radio", name: "kind", value, ...(checked ? { checked: "" } : {}) });
          radio.addEventListener("change", () => {
            this.relabel();
            this.forget();
          });
          return make("label", { class: "kind" }, radio, make("span", {}, text));
        };
        this.text = make("textarea", {
          id: "calculator-text",
          rows: "8",
          spellcheck: "false",
          autocomplete: "off",
          autocapitalize: "off",
          "aria-describedby": "calculator-help",
        });
        this.label = make("label", { for: "calculator-text" });
        this.help = make("p", { id: "calculator-help", class: "calculator-help" });
        this.text.addEventListener("paste", (event) => {
          const pasted = event.clipboardData?.getData("text/plain") ?? "";
          if (pasted.length > LONG) {
            // which browsers insert line by line
            event.preventDefault();
            this.text.setRangeText(pasted, this.text.selectionStart, this.text.selectionEnd, "end");
          }
          setTimeout(() => this.begin());
        });
        this.text.addEventListener("input", () => {
          this.file = null;
          this.chosen = {};
        });
        this.picker = make("input", { type: "file", id: "calculator-file", accept: ".csv,.tsv,.txt,text/csv,text/plain" });
        this.picker.addEventListener("change", () => {
          if (this.picker.files[0]) this.take(this.picker.files[0]);
        });
        this.decimal = this.select("decimal mark", [
          ["", "find it"],
          [".", "point"],
          [",", "comma"],
        ]);
        this.outcome = this.select("numbers");
        this.group = this.select("groups");
        this.columns = make(
          "span",
          { class: "calculator-columns", hidden: "" },
          this.outcome.parentNode,
          this.group.parentNode,
        );
        this.status = make("p", { role: "status", class: "calculator-status" });
        this.heard = make("p", { role: "status", class: "visually-hidden" });
        this.out = make("div", { class: "calculator-result" });
        const form = make(
          "form",
          {},
          make(
            "fieldset",
            {},
            make("legend", {}, "What do you have?"),
            kind("rows", "A row for each observation: a number, and the group it is in", true),
            kind("groups", "A row for each group: its size, mean and standard deviation"),
          ),
          this.label,
          this.text,
          this.help,
          make(
            "p",
            {},
            make("label", { for: "calculator-file" }, "Or a CSV or text file, chosen here or dropped on this page:"),
            " ",
            this.picker,
          ),
          make("p", { class: "calculator-choices" }, this.columns, this.decimal.parentNode),
          make(
            "p",
            { class: "calculator-buttons" },
            button("Work it out", null, "submit"),
            button("Show it with an example", () => this.example_()),
            button("Clear", () => this.clear()),
          ),
        );
        form.addEventListener("submit", (event) => {
          event.preventDefault();
          this.work();
        });
        this.form_ = form;
        this.relabel();
        return form;
      }

      select(text, options = []) {
        const node = make("select", {}, ...options.map(([value, said]) => make("option", { value }, said)));
        make("label", {}, make("span", {}, text), node);
        node.addEventListener("change", () => this.choose());
        return node;
      }

      get byGroup() {
        return this.form_?.elements.kind.value === "groups";
      }

      relabel() {
        this.label.textContent = this.byGroup
          ? "Type or paste a line for each group"
          : "Paste two columns from a spreadsheet, or type them";
        this.help.textContent = this.byGroup
          ? "A name if the group has one, then size, mean, standard deviation: north 12 50,3 8,1. A line of names above (n, mean, sd) is welcome. Blanks, tabs or semicolons between."
          : "One column has the numbers, the other says which group each is in. A line of names above is welcome, a decimal comma too. Leave a cell empty where a value is missing.";
      }

      // ---- where the text comes from ------------------------------------------------------------------

      begin() {
        this.file = null;
        this.chosen = {};
        this.decimal.value = "";
        this.work();
      }
      show(text) {
        this.text.value = text;
        this.begin();
      }
      example_() {
        this.form_.elements.kind.value = "rows";
        this.relabel();
        this.picker.value = "";
        this.show(this.example);
      }
      clear() {
        this.text.value = this.picker.value = "";
        this.forget();
        this.text.focus();
      }
      forget() {
        this.chosen = {};
        this.file = null;
        this.decimal.value = "";
        this.columns.hidden = true;
        this.say("");
        this.result = null;
        this.out.replaceChildren();
      }

      async take(file) {
        this.forget();
        if (file.size > MOST)
          return this.refuse(`${name(file.name)} is larger than 50 MB: python -m helpers report reads files of any size.`);
        const bytes = new Uint8Array(await file.arrayBuffer());
        const [encoding, text] = decoded(bytes);
        this.text.value = "";
        this.file = { name: file.name, encoding, text: text || new TextDecoder(encoding).decode(bytes) };
        this.work();
      }

      choose() {
        const place = (select) => (select.value === "" ? null : Number(select.value));
        this.chosen = { decimal: this.decimal.value || undefined };
        if (!this.columns.hidden) Object.assign(this.chosen, { outcome: place(this.outcome), group: place(this.group) });
        this.work();
      }

      // ---- the answer ---------------------------------------------------------------------------------

      say(text, refused = false) {
        this.status.replaceChildren(...(refused ? [make("strong", {}, "Not worked out. "), text] : [text]));
        this.status.classList.toggle("refused", refused);
        if (refused) this.text.setAttribute("aria-invalid", "true");
        else this.text.removeAttribute("aria-invalid");
      }
      refuse(text) {
        this.result = null;
        this.out.replaceChildren();
        this.say(text, true);
      }

      offer({ columns, places }) {
        this.columns.hidden = this.byGroup || !columns;
        if (this.columns.hidden) return;
        for (const [select, place] of [
          [this.outcome, places?.outcome ?? this.chosen.outcome],
          [this.group, places?.group ?? this.chosen.group],
        ]) {
          const choice = places ? [] : [make("option", { value: "" }, "choose")];
          select.replaceChildren(
            ...choice,
            ...columns.map((column, k) => make("option", { value: String(k) }, name(column, 40))),
          );
          select.value = place ?? "";
        }
      }

      work() {
        const text = this.file?.text ?? this.text.value;
        const read = this.byGroup ? calculator.readGroups(text, this.chosen) : calculator.readRows(text, this.chosen);
        if (read.ask) {
          this.offer(read);
          return this.refuse(read.ask);
        }
        if (read.refused) return this.refuse(read.refused);
        this.offer(read);
        const summary = this.byGroup
          ? calculator.ofGroups(read.sizes, read.means, read.sds, read.labels)
          : calculator.summarise(read.values, read.codes, read.labels);
        const found = calculator.fit(summary);
        if (found.refused) return this.refuse(found.refused);
        const warnings = calculator.warnings(found, read);
        this.result = { found, read };
        this.tell(found, read, warnings);
        const se = (method, question) => {
          const line = words.lineOf(found, method, question);
          return Number.isNaN(line.se) ? "none" : general(line.se, 4);
        };
        const warned = warnings.length;
        this.say(
          `${countRows(found.N)} in ${found.J} groups${read.left.length ? `, ${countRows(read.left.length)} left out` : ""}. Standard errors: ` +
            `of the mean of all groups there are ${se("partial pooling", "all")}, of one group ${se("no pooling", "one")}, of just these groups ` +
            `${se("no pooling", "these")}, of all rows if they were independent ${se("complete pooling", "rows")}. ` +
            `${warned ? `${warned} ${warned === 1 ? "thing" : "things"} to watch. ` : ""}All of it follows.`,
        );
        this.status.scrollIntoView({ block: "nearest" });
      }

      tell(found, read, warnings) {
        const { sections, figure } = calculator.answer(found, read, warnings, this);
        this.figure = figure;
        this.out.replaceChildren(...sections);
        this.drawn = 0;
        this.draw();
        window.dispatchEvent(new Event("resize")); // course.js asks what scrolls, now that it can be measured
      }

      // The picture is drawn for the width that there is.
      draw() {
        const width = this.result && Math.min(this.figure.clientWidth, 760);
        if (!width || width === this.drawn) return;
        this.drawn = width;
        this.figure.replaceChildren(calculator.picture(this.result.found, this.result.read, width));
      }
    },
  );
})();
