// The calculator on its page: paste, file or example in; what was read, the report's table, picture, warnings and sentence out.
// All of it happens here, in the reader's browser; nothing is sent and nothing is kept.
(() => {
  const { words } = calculator, { general, rows: countRows, name } = words;
  const MOST = 50e6, LONG = 20000;  // letters of a file, and of what is pasted

  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  const button = (text, does, type = "button") => {
    const node = make("button", { type }, text);
    if (does) node.addEventListener("click", does);
    return node;
  };

  const decoded = (bytes) => {
    const [a, b] = bytes;
    if (a === 0xff && b === 0xfe) return ["utf-16le", ""];
    if (a === 0xfe && b === 0xff) return ["utf-16be", ""];
    try { return ["utf-8", new TextDecoder("utf-8", { fatal: true }).decode(bytes)]; } catch { return ["windows-1252", ""]; }
  };

  const copyText = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* no clipboard here: the old way */ }
    const box = make("textarea", { "aria-hidden": "true" });
    document.body.append(box);
    box.value = text;
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done;
  };

  customElements.define("se-calculator", class extends HTMLElement {
    connectedCallback() {
      Object.assign(this, JSON.parse(this.querySelector("script").textContent));
      this.chosen = {};
      this.file = null;
      this.replaceChildren(this.form(), this.status, this.heard, this.out);
      this.addEventListener("dragover", (event) => { event.preventDefault(); this.classList.add("over"); });
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
        radio.addEventListener("change", () => { this.relabel(); this.forget(); });
        return make("label", { class: "kind" }, radio, make("span", {}, text));
      };
      this.text = make("textarea", { id: "calculator-text", rows: "8", spellcheck: "false", autocomplete: "off", autocapitalize: "off", "aria-describedby": "calculator-help" });
      this.label = make("label", { for: "calculator-text" });
      this.help = make("p", { id: "calculator-help", class: "calculator-help" });
      this.text.addEventListener("paste", (event) => {
        const pasted = event.clipboardData?.getData("text/plain") ?? "";
        if (pasted.length > LONG) {  // which browsers insert line by line
          event.preventDefault();
          this.text.setRangeText(pasted, this.text.selectionStart, this.text.selectionEnd, "end");
        }
        setTimeout(() => this.begin());
      });
      this.text.addEventListener("input", () => { this.file = null; this.chosen = {}; });
      this.picker = make("input", { type: "file", id: "calculator-file", accept: ".csv,.tsv,.txt,text/csv,text/plain" });
      this.picker.addEventListener("change", () => { if (this.picker.files[0]) this.take(this.picker.files[0]); });
      this.decimal = this.select("decimal mark", [["", "find it"], [".", "point"], [",", "comma"]]);
      this.outcome = this.select("numbers");
      this.group = this.select("groups");
      this.columns = make("span", { class: "calculator-columns", hidden: "" }, this.outcome.parentNode, this.group.parentNode);
      this.status = make("p", { role: "status", class: "calculator-status" });
      this.heard = make("p", { role: "status", class: "visually-hidden" });
      this.out = make("div", { class: "calculator-result" });
      const form = make("form", {},
        make("fieldset", {}, make("legend", {}, "What do you have?"),
          kind("rows", "A row for each observation: a number, and the group it is in", true),
          kind("groups", "A row for each group: its size, mean and standard deviation")),
        this.label, this.text, this.help,
        make("p", {}, make("label", { for: "calculator-file" }, "Or a CSV or text file, chosen here or dropped on this page:"), " ", this.picker),
        make("p", { class: "calculator-choices" }, this.columns, this.decimal.parentNode),
        make("p", { class: "calculator-buttons" }, button("Work it out", null, "submit"), button("Show it with an example", () => this.example_()), button("Clear", () => this.clear())));
      form.addEventListener("submit", (event) => { event.preventDefault(); this.work(); });
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

    get byGroup() { return this.form_?.elements.kind.value === "groups"; }

    relabel() {
      this.label.textContent = this.byGroup ? "Type or paste a line for each group" : "Paste two columns from a spreadsheet, or type them";
      this.help.textContent = this.byGroup
        ? "A name if the group has one, then size, mean, standard deviation: north 12 50,3 8,1. A line of names above (n, mean, sd) is welcome. Blanks, tabs or semicolons between."
        : "One column has the numbers, the other says which group each is in. A line of names above is welcome, a decimal comma too. Leave a cell empty where a value is missing.";
    }

    // ---- where the text comes from ------------------------------------------------------------------

    begin() { this.file = null; this.chosen = {}; this.decimal.value = ""; this.work(); }
    show(text) { this.text.value = text; this.begin(); }
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
      if (file.size > MOST) return this.refuse(`${name(file.name)} is larger than 50 MB: python -m helpers report reads files of any size.`);
      const bytes = new Uint8Array(await file.arrayBuffer());
      const [encoding, text] = decoded(bytes);
      this.text.value = "";
      this.file = { name: file.name, encoding, text: text || new TextDecoder(encoding).decode(bytes) };
      this.work();
    }

    choose() {
      const place = (select) => select.value === "" ? null : Number(select.value);
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
      for (const [select, place] of [[this.outcome, places?.outcome ?? this.chosen.outcome], [this.group, places?.group ?? this.chosen.group]]) {
        const choice = places ? [] : [make("option", { value: "" }, "choose")];
        select.replaceChildren(...choice, ...columns.map((column, k) => make("option", { value: String(k) }, name(column, 40))));
        select.value = place ?? "";
      }
    }

    work() {
      const text = this.file?.text ?? this.text.value;
      const read = this.byGroup ? calculator.readGroups(text, this.chosen) : calculator.readRows(text, this.chosen);
      if (read.ask) { this.offer(read); return this.refuse(read.ask); }
      if (read.refused) return this.refuse(read.refused);
      this.offer(read);
      const summary = this.byGroup ? calculator.ofGroups(read.sizes, read.means, read.sds, read.labels)
        : calculator.summarise(read.values, read.codes, read.labels);
      const found = calculator.fit(summary);
      if (found.refused) return this.refuse(found.refused);
      const warnings = calculator.warnings(found, read);
      this.result = { found, read };
      this.tell(found, read, warnings);
      const se = (method, question) => {
        const line = found.lines.find((each) => each.method === method && each.question === question);
        return Number.isNaN(line.se) ? "none" : general(line.se, 4);
      };
      const warned = warnings.length;
      this.say(`${countRows(found.N)} in ${found.J} groups${read.left.length ? `, ${countRows(read.left.length)} left out` : ""}. Standard errors: `
        + `of the mean of all groups there are ${se("partial pooling", "all")}, of one group ${se("no pooling", "one")}, of just these groups `
        + `${se("no pooling", "these")}, of all rows if they were independent ${se("complete pooling", "rows")}. `
        + `${warned ? `${warned} ${warned === 1 ? "thing" : "things"} to watch. ` : ""}All of it follows.`);
      this.status.scrollIntoView({ block: "nearest" });
    }

    tell(found, read, warnings) {
      const part = (heading, ...content) => make("section", {}, make("h2", {}, heading), ...content.filter(Boolean));
      this.figure = make("figure", { class: "calculator-figure" });
      this.out.replaceChildren(
        part("What was read", ...this.wasRead(read)),
        part("How the data are grouped", make("p", {}, calculator.grouping(found, read)), this.figure),
        part("Which standard error answers which question", this.table(found, read), make("p", { class: "calculator-buttons" },
          this.copy("Copy the table for a spreadsheet", () => calculator.tsv(found, read)), this.copy("Copy the table as Markdown", () => calculator.markdown(found, read)))),
        part("Variances, and what is tested", this.variances(found)),
        warnings.length ? part("What to watch", make("ul", {}, ...warnings.map((text) => this.warning(text)))) : "",
        part("A sentence to report", make("blockquote", {}, calculator.sentence(found, read)),
          make("p", { class: "calculator-buttons" }, this.copy("Copy the sentence", () => calculator.sentence(found, read)))),
        part("The same in Python and R", ...this.calls(found, read)),
      );
      this.drawn = 0;
      this.draw();
      window.dispatchEvent(new Event("resize"));  // course.js asks what scrolls, now that it can be measured
    }

    wasRead(read) {
      const { separator, decimal, header, left, outcome, group } = read;
      const mark = decimal === "," ? "a decimal comma" : "a decimal point";
      const of = this.file ? `The file ${name(this.file.name)}${this.file.encoding === "utf-8" ? "" : `, read as ${this.file.encoding}`}` : "The text above";
      const told = `${of}: fields separated by ${separator}, ${mark}, ${header ? "names in the first line" : "no line of names"}. `
        + (this.byGroup ? "" : `The numbers are ${header ? `the column ${name(outcome)}` : "called value"}, the groups ${header ? `the column ${name(group)}` : "called group"}.`);
      const head = this.byGroup ? ["line", "group", "size", "mean", "sd"] : ["line", name(outcome), name(group)];
      const first = read.first.map(({ line, value, label, size, mean, sd }) =>
        (this.byGroup ? [line, label, size, mean, sd ?? ""] : [line, value, label]).map(String));
      const lack = left.slice(0, 5).map(({ line, lacks }) => make("li", {}, `line ${line}: no value of ${lacks.map((column) => name(column)).join(" and ")}`));
      if (left.length > 5) lack.push(make("li", {}, `and ${left.length - 5} more`));
      const both = "Both columns are numbers. If the other one says which group a row is in, turn them above; if each column is a group of its own, put "
        + "one below the other, with a second column that says which group a number is of.";
      return [make("p", {}, told), read.both ? make("p", {}, both) : "", this.grid("The first of them, as they were read", head, first),
        left.length ? make("p", {}, `${countRows(left.length)} left out:`) : "", left.length ? make("ul", {}, ...lack) : ""];
    }

    grid(caption, head, body, className = "") {
      const table = make("table", { class: `table ${className}` }, make("caption", {}, make("div", {}, caption)),
        make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
        make("tbody", {}, ...body.map((cells) => make("tr", {}, ...cells.map((text) => make("td", {}, text))))));
      return make("div", { class: "pst-scrollable-table-container" }, table);
    }

    table(found, read) {
      const number = (text) => make("td", { class: "number" }, text);
      const body = make("tbody");
      for (const { asked, over, lines } of calculator.byQuestion(found, read)) {
        body.append(make("tr", {}, make("th", { colspan: "5", scope: "rowgroup" }, `${asked} `, make("span", { class: "faint" }, over))));
        for (const line of lines) {
          const [estimate, ...others] = calculator.cells(line, lines), [se, df, low, high] = others;
          const more = others.length ? [number(se), number(df), make("td", { class: "number" }, make("span", {}, `${low} to`), " ", make("span", {}, high))]
            : [make("td", { colspan: "3" }, calculator.withheld(read))];
          body.append(make("tr", {}, make("td", {}, calculator.method(line)), number(estimate), ...more));
        }
      }
      const head = ["estimate", "SE", "df", "interval"].map((text) => make("th", { scope: "col", class: "number" }, text));
      const caption = `Estimates of ${name(read.outcome)} ~ 1, by question; intervals of ${words.LEVEL} from t, for a new group and a new row prediction intervals.`;
      return make("div", { class: "pst-scrollable-table-container" }, make("table", { class: "table calculator-table" }, make("caption", {}, make("div", {}, caption)),
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "method"), ...head)), body));
    }

    variances(found) {
      return this.grid(`Estimates with intervals of ${words.LEVEL}. p speaks of the hypothesis that psi is 0; no mean is tested. A large p does not say that it is 0.`,
        ["what", "estimate", "interval", "p", "by"], calculator.variances(found), "calculator-variances");
    }

    // The matter in bold, and links to the notebooks and the page that a warning names.
    warning(text) {
      const [, matter, rest] = /^(.*?):(.*)$/s.exec(text), item = make("li", {}, make("strong", {}, `${matter}:`));
      const parts = rest.split(/((?<=notebooks? (?:\d\d and )?)\d\d(?!\d)|(?<=the page ")Where this course ends)/);
      item.append(...parts.map((piece) => this.links[piece] ? make("a", { href: this.links[piece] }, piece) : piece));
      return item;
    }

    calls(found, read) {
      if (this.byGroup) return [make("p", {}, "The calls need the rows themselves, which sizes, means and standard deviations do not have.")];
      const { python, r } = calculator.calls(found, read);
      const block = (title, code) => [make("h3", {}, title), make("pre", { class: "calculator-code" }, make("code", {}, code)),
        make("p", { class: "calculator-buttons" }, this.copy(`Copy the ${title.split(",")[0]} code`, () => code))];
      return [make("p", {}, "With the rows in a table called data: the first call prints this table, the second all of the report."),
        ...block("Python, with this course's package", python), ...block("R", r)];
    }

    copy(text, content) {
      const node = button(text, async () => {
        const done = await copyText(content());
        node.textContent = done ? "Copied" : "Not copied: the browser refused";
        this.heard.textContent = done ? `${text}: done.` : node.textContent;
        setTimeout(() => { node.textContent = text; this.heard.textContent = ""; }, 2500);
      });
      return node;
    }

    // The picture is drawn for the width that there is.
    draw() {
      const width = this.result && Math.min(this.figure.clientWidth, 760);
      if (!width || width === this.drawn) return;
      this.drawn = width;
      this.figure.replaceChildren(calculator.picture(this.result.found, this.result.read, width));
    }
  });
})();
