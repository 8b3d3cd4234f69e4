// What was pasted or dropped to numbers and groups: separator, decimal mark and line of names are found, and what is in doubt
// is refused in words that name the line. Nothing is guessed twice: the page shows what was read, and the reader may choose.
(() => {
  const { MARKS, POINT, COMMA, SEPARATORS, Refused, refuse, quoted, count, bare, isNumber, rectangle, namesOf, shares } =
    calculator.cellsOf;

  // ---- cells to numbers -----------------------------------------------------------------------------

  const WHY = [
    [/^#(DIV\/0!|REF!|VALUE!|NAME\?|NUM!)/i, "That is an error of the spreadsheet: mend the formula, or clear the cell."],
    [
      /^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T]\d.*)?$|^\d{1,2}[-. ]+[a-zäé]{3,}\.?([-. ]+\d{2,4})?$|^[a-z]{3,9} \d{1,2}(, ?\d{4})?$|^\d{1,2}:\d\d/i,
      "That is a date or a time: make it a number, such as days since the first. If it was a number, the spreadsheet has taken it for a date: format the column as text and type it again.",
    ],
    [/^[+-]?\d{1,3}([.,' \u00a0\u202f\u2019]\d{3})+([.,]\d+)?$/, "Write numbers without marks for thousands."],
    [/^[<>≤≥~]/, "That is a bound and not a value."],
    [/%$/, "Write the number without the percent sign, in every row."],
    [/^[$€£¥]|[$€£¥]$|^[+-]?[\d.,]+ ?[a-zµ°]+[²³]?$/i, "Write the number without its unit."],
    [
      /^(true|false|yes|no|y|n)$/i,
      "Write 1 and 0 for yes and no; the chooser says which standard error such an outcome has.",
    ],
    [/^[+-]?inf(inity)?$/i, "An infinite value has no mean."],
  ];

  // Numbers of a column, null where a value is missing; the decimal mark that was found or chosen.
  const numbersOf = (rows, k, name, separator, chosen) => {
    const cells = rows.map(({ cells: all }) => bare(all[k]));
    const comma = cells.findIndex((cell) => cell.includes(",") && COMMA.test(cell));
    const point = cells.findIndex((cell) => cell.includes(".") && cell !== "." && POINT.test(cell));
    const decimal = chosen ?? (separator !== "," && comma >= 0 && point < 0 ? "," : ".");
    if (!chosen && comma >= 0 && point >= 0 && separator !== ",") {
      refuse(
        `${name} has numbers with a point (line ${rows[point].line}: ${quoted(cells[point])}) and with a comma (line ` +
          `${rows[comma].line}: ${quoted(cells[comma])}): which is the decimal mark? Write all of them with one.`,
      );
    }
    const form = decimal === "," ? COMMA : POINT;
    const missing = (cell) => MARKS.has(cell);
    const bad = cells.findIndex((cell) => !missing(cell) && !form.test(cell));
    if (bad >= 0) {
      const number = cells.filter((cell) => !missing(cell) && !form.test(cell)).length;
      const why = WHY.find(([sign]) => sign.test(cells[bad]));
      const many = number > 1 ? ` (${number} of ${cells.length} cells are no numbers)` : "";
      refuse(
        `Line ${rows[bad].line} of ${name} has ${quoted(cells[bad])} where a number should be${many}. ` +
          (why ? why[1] : "Where a value is missing, leave the cell empty or write NA."),
      );
    }
    if (!chosen && decimal === ",") {
      const marked = cells.filter((cell) => cell.includes(","));
      if (marked.length > 1 && marked.every((cell) => /^[+-]?[1-9]\d{0,2},\d{3}$/.test(cell))) {
        refuse(
          `Every comma in ${name} has three digits after it, as in ${quoted(marked[0])}: if it is the decimal mark, choose that ` +
            "below; if it sets off thousands, write the numbers without it.",
        );
      }
    }
    const values = cells.map((cell) => (missing(cell) ? null : Number(decimal === "," ? cell.replace(",", ".") : cell)));
    const large = values.findIndex(
      (value, i) =>
        value !== null && (Math.abs(value) > 1e150 || (/^[+-]?\d+$/.test(cells[i]) && Math.abs(value) >= 2 ** 53)),
    );
    if (large >= 0)
      refuse(
        `Line ${rows[large].line} of ${name} has ${quoted(cells[large])}, which has too many digits for a number here: is it a label? Subtract one value from all.`,
      );
    return { values, decimal, cells };
  };

  // Labels in order: as numbers where all are numbers, else as text; which row has which.
  const labelled = (texts) => {
    const distinct = [...new Set(texts)],
      numbers = distinct.every((text) => POINT.test(text.trim()));
    const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    distinct.sort(numbers ? (a, b) => Number(a) - Number(b) || byText(a, b) : byText);
    const place = new Map(distinct.map((label, j) => [label, j]));
    return { labels: distinct, codes: Int32Array.from(texts, (text) => place.get(text)) };
  };

  const distinctIn = (rows, k) => new Set(rows.map(({ cells }) => cells[k])).size;

  // Which column has the numbers and which the groups: with two, the one that has numbers; with more, the reader says.
  const roles = (body, width, names, chosen) => {
    const numeric = shares(body.slice(0, 1000), width).map((share) => share >= 0.5);
    let { outcome, group } = chosen;
    const known = (k) => Number.isInteger(k) && k >= 0 && k < width;
    if (known(outcome) && known(group)) {
      if (outcome === group) refuse("Numbers and groups are the same column: choose two.");
      return { outcome, group };
    }
    if (!numeric.some(Boolean)) {
      const { line, cells } = body.at(-1),
        why = WHY.find(([sign]) => cells.some((cell) => sign.test(bare(cell))));
      refuse(
        `No column is of numbers: line ${line} has ${cells.map((cell) => quoted(cell.trim())).join(" and ")}. ` +
          (why ? why[1] : "Two columns are needed: the numbers, and beside each the group that it belongs to."),
      );
    }
    if (width > 2) return { outcome: null, group: null };
    let both = false;
    if (!(numeric[0] && numeric[1])) group = numeric[0] ? 1 : 0;
    else {
      // both: the groups are whole numbers, or else those that are fewer
      const [first, second] = [0, 1].map((k) => body.every(({ cells }) => !/[.,]\d/.test(cells[k])));
      both = first === second;
      group = both ? Number(distinctIn(body, 1) < distinctIn(body, 0)) : Number(second);
    }
    return { outcome: 1 - group, group, both };
  };

  const TOTAL = /^(grand )?(total|totals|sum|mean|average|overall|gesamt|summe|mittelwert)$/i;

  // A row for each observation.
  const rowsOf = (raw, chosen = {}) => {
    const table = rectangle(raw),
      { names, body } = namesOf(table),
      { separator, width } = table;
    if (body.length < 2) refuse("There is one row only: comparing groups takes two groups and more rows than groups.");
    const titles = names ?? Array.from({ length: width }, (_, k) => `column ${k + 1}`);
    const { outcome, group, both } = roles(body, width, names, chosen);
    const read = {
      separator: SEPARATORS.find(([mark]) => mark === separator)?.[1] ?? `\u201c${separator}\u201d`,
      columns: titles,
      header: Boolean(names),
    };
    if (outcome === null) {
      return {
        ...read,
        ask:
          `There are ${width} columns: choose the one of the numbers and the one of the groups below. If every column is a group ` +
          "of its own, put them below each other, with a second column that says which group each number is of.",
      };
    }
    for (const [k, { line, cells }] of body.entries()) {
      // the line of names of another table
      if (k && names && cells.every((cell, at) => cell.trim() === titles[at])) {
        refuse(`Line ${line} has the names of the columns again: are these two tables? Paste one, or leave that line out.`);
      }
    }
    const [nameOfOutcome, nameOfGroup] = names ? [names[outcome], names[group]] : ["value", "group"];
    if (names && body.some(({ cells }) => cells[group].trim() === names[group])) {
      refuse(
        `Line ${table.rows[0].line} has ${quoted(names[outcome])} where a number should be, and ${quoted(names[group])} as lines below it have: ` +
          "if it holds the names of the columns, let them differ from the groups; if not, mend the number.",
      );
    }
    const last = body.at(-1);
    if (TOTAL.test(last.cells[group].trim())) {
      refuse(`Line ${last.line} is called ${quoted(last.cells[group].trim())}: leave rows of totals and means out.`);
    }
    const jump = body.findIndex(
      ({ line, cells }, k) =>
        k && line > body[k - 1].line + 1 && !isNumber(cells[outcome]) && !MARKS.has(cells[outcome].trim()),
    );
    if (jump >= 0) {
      refuse(
        `After an empty line, line ${body[jump].line} has ${quoted(body[jump].cells[outcome].trim())} where a number should be: ` +
          "does another table begin there? Paste one of them.",
      );
    }
    const named = names ? `column ${quoted(nameOfOutcome)}` : "the column of numbers";
    const { values, decimal, cells } = numbersOf(body, outcome, named, separator, chosen.decimal);
    const texts = body.map(({ cells: all }) => all[group]),
      trimmed = texts.map((text) => text.trim());
    const without = trimmed.map((text) => MARKS.has(text)),
      gaps = without.filter(Boolean).length;
    if (gaps >= body.length / 2 && gaps < body.length) {
      refuse(
        `${gaps} of ${body.length} rows have no group: are cells merged, with the name in the first row of each group only? Write it in every row.`,
      );
    }
    // Blanks around labels go, unless labels differ in nothing else: then the page asks whether they are one.
    const labels = new Set(trimmed).size === new Set(texts).size ? trimmed : texts;
    const left = [],
      kept = [];
    body.forEach(({ line }, k) => {
      const lacks = [...(values[k] === null ? [nameOfOutcome] : []), ...(without[k] ? [nameOfGroup] : [])];
      if (lacks.length) left.push({ line, lacks, mark: values[k] === null ? cells[k] : "" });
      else kept.push(k);
    });
    if (!kept.length) refuse("No row has both a number and a group.");
    const y = kept.map((k) => values[k]);
    return {
      ...read,
      decimal,
      both: Boolean(both),
      outcome: nameOfOutcome,
      group: nameOfGroup,
      places: { outcome, group },
      left,
      values: y,
      ...labelled(kept.map((k) => labels[k])),
      first: kept.slice(0, 3).map((k) => ({ line: body[k].line, value: values[k], label: labels[k].trim() })),
    };
  };

  // A row for each group: perhaps a name, then size, mean and standard deviation.
  const KNOWN = {
    size: /^(n|n_?j|size|sizes|rows|count|number)$/i,
    mean: /^(m|mean|average|avg)$/i,
    sd: /^(sd|s|std|stdev|std\.? ?dev\.?|standard deviation)$/i,
  };
  const groupsOf = (raw, chosen = {}) => {
    const table = rectangle(raw),
      { names, body } = namesOf(table),
      { separator, width } = table;
    const wanted = "size, mean and standard deviation of each group, before them its name if it has one";
    if (names?.some((name) => /^(se|sem|std\.? ?err\.?|standard error)$/i.test(name))) {
      refuse(
        "There is a column of standard errors: what is needed is the standard deviation of the rows of each group, which is its " +
          "standard error times the root of its size.",
      );
    }
    if (width < 3 || width > 4) refuse(`There are ${count(width, "column")}: write ${wanted}.`);
    const find = (what, place) => {
      const k = (names ?? []).findIndex((name) => KNOWN[what].test(name));
      return k < 0 ? place : k;
    };
    const at = { size: find("size", width - 3), mean: find("mean", width - 2), sd: find("sd", width - 1) };
    if (new Set(Object.values(at)).size < 3) refuse(`It is not clear which column is which: write ${wanted}.`);
    const all = [at.size, at.mean, at.sd].map((k) => body.map(({ cells }) => bare(cells[k]))).flat();
    const comma = separator !== "," && all.some((cell) => COMMA.test(cell) && cell.includes(","));
    const decimal =
      chosen.decimal ?? (comma && !all.some((cell) => cell !== "." && POINT.test(cell) && cell.includes(".")) ? "," : null);
    const columns = Object.fromEntries(
      Object.entries(at).map(([what, k]) => [
        what,
        numbersOf(body, k, names ? `column ${quoted(names[k])}` : `column ${k + 1} (${what})`, separator, decimal),
      ]),
    );
    const [size, mean, sd] = ["size", "mean", "sd"].map((what) => columns[what].values);
    const name = [0, 1, 2, 3].slice(0, width).find((k) => !Object.values(at).includes(k));
    const labels = body.map(({ cells }, k) => (name === undefined ? String(k + 1) : cells[name].trim()));
    body.forEach(({ line }, k) => {
      if (!(Number.isInteger(size[k]) && size[k] >= 1))
        refuse(`Line ${line} has the size ${quoted(body[k].cells[at.size].trim())}: a size is a whole number, 1 or more.`);
      if (mean[k] === null) refuse(`Line ${line} has no mean.`);
      if (size[k] > 1 && sd[k] === null)
        refuse(`Line ${line} has no standard deviation: only a group of one row may lack it.`);
      if (sd[k] < 0) refuse(`Line ${line} has a standard deviation below 0.`);
      if (labels.indexOf(labels[k]) < k) refuse(`Two groups are called ${quoted(labels[k])}: rename one.`);
      if (TOTAL.test(labels[k])) refuse(`Line ${line} is called ${quoted(labels[k])}: leave rows of totals and means out.`);
    });
    const { labels: sorted } = labelled(labels),
      order = sorted.map((label) => labels.indexOf(label));
    return {
      separator: SEPARATORS.find(([mark]) => mark === separator)[1],
      header: Boolean(names),
      decimal: columns.mean.decimal,
      columns: names ?? Array.from({ length: width }, (_, k) => `column ${k + 1}`),
      left: [],
      outcome: "value",
      group: name !== undefined && names ? names[name] : "group",
      labels: sorted,
      sizes: order.map((k) => size[k]),
      means: order.map((k) => mean[k]),
      sds: order.map((k) => sd[k] ?? 0),
      first: order
        .slice(0, 3)
        .map((k) => ({ line: body[k].line, label: labels[k], size: size[k], mean: mean[k], sd: sd[k] })),
    };
  };

  const told = (reader) => (raw, chosen) => {
    try {
      return reader(raw, chosen);
    } catch (error) {
      if (error instanceof Refused) return { refused: error.message[0].toUpperCase() + error.message.slice(1) };
      throw error;
    }
  };

  Object.assign(calculator, { readRows: told(rowsOf), readGroups: told(groupsOf) });
})();
