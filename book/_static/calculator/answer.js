// The calculator's answer as the page shows it: what was read, the groups, the table, what to watch, the sentence, the calls.
(() => {
  const { words } = calculator,
    { rows: countRows, name } = words;

  const button = (text, does, type = "button") => {
    const node = make("button", { type }, text);
    if (does) node.addEventListener("click", does);
    return node;
  };

  const copyText = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      /* no clipboard here: the old way */
    }
    const box = make("textarea", { "aria-hidden": "true" });
    document.body.append(box);
    box.value = text;
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done;
  };

  // Sections and the figure among them; links by notebook, the file that was read, and where what was copied is announced.
  const answer = (found, read, warnings, { links, file, byGroup, heard }) => {
    const copy = (text, content) => {
      const node = button(text, async () => {
        const done = await copyText(content());
        node.textContent = done ? "Copied" : "Not copied: the browser refused";
        heard.textContent = done ? `${text}: done.` : node.textContent;
        setTimeout(() => {
          node.textContent = text;
          heard.textContent = "";
        }, 2500);
      });
      return node;
    };

    const grid = (caption, head, body, className = "") => {
      const table = make(
        "table",
        { class: `table ${className}` },
        make("caption", {}, make("div", {}, caption)),
        make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
        make("tbody", {}, ...body.map((cells) => make("tr", {}, ...cells.map((text) => make("td", {}, text))))),
      );
      return make("div", { class: "pst-scrollable-table-container" }, table);
    };

    const wasRead = () => {
      const { separator, decimal, header, left, outcome, group } = read;
      const mark = decimal === "," ? "a decimal comma" : "a decimal point";
      const of = file
        ? `The file ${name(file.name)}${file.encoding === "utf-8" ? "" : `, read as ${file.encoding}`}`
        : "The text above";
      const told =
        `${of}: fields separated by ${separator}, ${mark}, ${header ? "names in the first line" : "no line of names"}. ` +
        (byGroup
          ? ""
          : `The numbers are ${header ? `the column ${name(outcome)}` : "called value"}, the groups ${header ? `the column ${name(group)}` : "called group"}.`);
      const head = byGroup ? ["line", "group", "size", "mean", "sd"] : ["line", name(outcome), name(group)];
      const first = read.first.map(({ line, value, label, size, mean, sd }) =>
        (byGroup ? [line, label, size, mean, sd ?? ""] : [line, value, label]).map(String),
      );
      const lack = left
        .slice(0, 5)
        .map(({ line, lacks }) =>
          make("li", {}, `line ${line}: no value of ${lacks.map((column) => name(column)).join(" and ")}`),
        );
      if (left.length > 5) lack.push(make("li", {}, `and ${left.length - 5} more`));
      const both =
        "Both columns are numbers. If the other one says which group a row is in, turn them above; if each column is a group of its own, put " +
        "one below the other, with a second column that says which group a number is of.";
      return [
        make("p", {}, told),
        read.both ? make("p", {}, both) : "",
        grid("The first of them, as they were read", head, first),
        left.length ? make("p", {}, `${countRows(left.length)} left out:`) : "",
        left.length ? make("ul", {}, ...lack) : "",
      ];
    };

    const table = () => {
      const number = (text) => make("td", { class: "number" }, text);
      const body = make("tbody");
      for (const { asked, over, lines } of calculator.byQuestion(found, read)) {
        body.append(
          make(
            "tr",
            {},
            make("th", { colspan: "5", scope: "rowgroup" }, `${asked} `, make("span", { class: "faint" }, over)),
          ),
        );
        for (const line of lines) {
          const [estimate, ...others] = calculator.cells(line, lines),
            [se, df, low, high] = others;
          const more = others.length
            ? [
                number(se),
                number(df),
                make("td", { class: "number" }, make("span", {}, `${low} to`), " ", make("span", {}, high)),
              ]
            : [make("td", { colspan: "3" }, calculator.withheld(read))];
          body.append(make("tr", {}, make("td", {}, calculator.method(line)), number(estimate), ...more));
        }
      }
      const head = ["estimate", "SE", "df", "interval"].map((text) => make("th", { scope: "col", class: "number" }, text));
      const caption = `Estimates of ${name(read.outcome)} ~ 1, by question; intervals of ${words.LEVEL} from t, for a new group and a new row prediction intervals.`;
      return make(
        "div",
        { class: "pst-scrollable-table-container" },
        make(
          "table",
          { class: "table calculator-table" },
          make("caption", {}, make("div", {}, caption)),
          make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "method"), ...head)),
          body,
        ),
      );
    };

    const variances = () => {
      return grid(
        `Estimates with intervals of ${words.LEVEL}. p speaks of the hypothesis that psi is 0; no mean is tested. A large p does not say that it is 0.`,
        ["what", "estimate", "interval", "p", "by"],
        calculator.variances(found),
        "calculator-variances",
      );
    };

    // The matter in bold, and links to the notebooks and the page that a warning names.
    const warning = (text) => {
      const [, matter, rest] = /^(.*?):(.*)$/s.exec(text),
        item = make("li", {}, make("strong", {}, `${matter}:`));
      const parts = rest.split(/((?<=notebooks? (?:\d\d and )?)\d\d(?!\d)|(?<=the page ")Where this course ends)/);
      item.append(...parts.map((piece) => (links[piece] ? make("a", { href: links[piece] }, piece) : piece)));
      return item;
    };

    const calls = () => {
      if (byGroup)
        return [
          make("p", {}, "The calls need the rows themselves, which sizes, means and standard deviations do not have."),
        ];
      const { python, r } = calculator.calls(found, read);
      const block = (title, code) => [
        make("h3", {}, title),
        make("pre", { class: "calculator-code" }, make("code", {}, code)),
        make(
          "p",
          { class: "calculator-buttons" },
          copy(`Copy the ${title.split(",")[0]} code`, () => code),
        ),
      ];
      return [
        make(
          "p",
          {},
          "With the rows in a table called data: the first call prints this table, the second all of the report.",
        ),
        ...block("Python, with this course's package", python),
        ...block("R", r),
      ];
    };

    const part = (heading, ...content) => make("section", {}, make("h2", {}, heading), ...content.filter(Boolean));
    const figure = make("figure", { class: "calculator-figure" });
    const sections = [
      part("What was read", ...wasRead()),
      part("How the data are grouped", make("p", {}, calculator.grouping(found, read)), figure),
      part(
        "Which standard error answers which question",
        table(),
        make(
          "p",
          { class: "calculator-buttons" },
          copy("Copy the table for a spreadsheet", () => calculator.tsv(found, read)),
          copy("Copy the table as Markdown", () => calculator.markdown(found, read)),
        ),
      ),
      part("Variances, and what is tested", variances()),
      warnings.length ? part("What to watch", make("ul", {}, ...warnings.map((text) => warning(text)))) : "",
      part(
        "A sentence to report",
        make("blockquote", {}, calculator.sentence(found, read)),
        make(
          "p",
          { class: "calculator-buttons" },
          copy("Copy the sentence", () => calculator.sentence(found, read)),
        ),
      ),
      part("The same in Python and R", ...calls()),
    ];
    return { sections, figure };
  };

  Object.assign(calculator, { button, answer });
})();
