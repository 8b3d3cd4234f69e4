// Text to a rectangle of cells: which separator, which line has the names, and what is no table at all; refused in words.
(() => {
  const MARKS = new Set([
    "",
    ".",
    "#NULL!",
    "NA",
    "N/A",
    "n/a",
    "<NA>",
    "#N/A",
    "#NA",
    "#N/A N/A",
    "NULL",
    "null",
    "None",
    "NaN",
    "nan",
    "-NaN",
    "-nan",
  ]); // helpers/report/files/typed.py
  const POINT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i,
    COMMA = /^[+-]?(\d+,?\d*|,\d+)(e[+-]?\d+)?$/i;
  const SEPARATORS = [
    ["\t", "tabs"],
    [";", "semicolons"],
    ["|", "bars"],
    [",", "commas"],
    [" ", "blanks"],
  ];
  const MOST_LABEL = 40;

  class Refused extends Error {}
  const refuse = (text) => {
    throw new Refused(text);
  };
  const quoted = (text) => `\u201c${text.length > MOST_LABEL ? text.slice(0, MOST_LABEL - 1) + "\u2026" : text}\u201d`;
  const count = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
  // Blanks that do not break, and the sign that looks like a minus.
  const bare = (cell) => cell.trim().replace(/^\u2212/, "-");
  const isNumber = (cell) => {
    const text = bare(cell);
    return POINT.test(text) || COMMA.test(text);
  };

  // Records of cells with the line each begins in; quotes hold separators and ends of lines, as in CSV.
  const records = (text, separator) => {
    const found = [];
    if (separator === " ") {
      text.split("\n").forEach((line, k) => {
        if (line.trim()) found.push({ line: k + 1, cells: line.trim().split(/\s+/) });
      });
      return found;
    }
    if (!text.includes('"')) {
      const rest = separator === "\t" ? (line) => line : (line) => line.replaceAll(separator, ""); // which trim() takes for a blank
      text.split("\n").forEach((line, k) => {
        if (rest(line).trim()) found.push({ line: k + 1, cells: line.split(separator) });
      });
      return found;
    }
    let cells = [],
      cell = "",
      inside = false,
      line = 1,
      begun = 1;
    for (let k = 0; k <= text.length; k++) {
      const c = text[k] ?? "\n";
      if (inside) {
        if (c === '"' && text[k + 1] === '"') {
          cell += c;
          k += 1;
        } else if (c === '"') inside = false;
        else if (k === text.length) refuse(`A quote that opens in line ${begun} is never closed.`);
        else cell += c;
      } else if (c === '"' && !cell.trim()) {
        inside = true;
        cell = "";
      } else if (c === separator) {
        cells.push(cell);
        cell = "";
      } else if (c === "\n") {
        found.push({ line: begun, cells: [...cells, cell] });
        [cells, cell] = [[], ""];
        begun = line + 1;
      } else cell += c;
      if (c === "\n") line += 1;
    }
    return found.filter((record) => record.cells.some((part) => part.trim()));
  };

  // The separator that splits the first lines alike into two fields or more, one of them of numbers.
  const separate = (text) => {
    const said = /^"?sep=(.)"?\n/.exec(text); // Excel's
    if (said) return { separator: said[1], body: "\n" + text.slice(said[0].length) };
    const sample = text.split("\n").slice(0, 100).join("\n"),
      fits = [],
      uneven = [];
    let fault = null;
    for (const [separator] of SEPARATORS) {
      if (separator !== " " && !sample.includes(separator)) continue;
      let rows;
      try {
        rows = records(sample, separator);
      } catch (error) {
        fault = error;
        continue;
      }
      const most = Math.max(...rows.map(({ cells }) => cells.length));
      if (most < 2) continue;
      const alike = rows.every(({ cells }) => cells.length === rows[0].cells.length);
      (alike ? fits : uneven).push({ separator, rows, most });
    }
    const numeric = fits.filter(({ rows, most }) =>
      Array.from({ length: most }, (_, k) => rows.filter(({ cells }) => isNumber(cells[k])).length).some(
        (number) => number >= rows.length / 2,
      ),
    );
    // "1,5 a" may be parted at the comma or at the blank: at the blank, where that leaves numbers with a comma in them.
    const blank = numeric.find(
      ({ separator, rows }) =>
        separator === " " && rows.some(({ cells }) => cells.some((cell) => cell.includes(",") && isNumber(cell))),
    );
    if (blank && numeric[0].separator === ",") return { separator: " ", body: text };
    const best = numeric[0] ?? fits[0];
    if (best) return { separator: best.separator, body: text };
    const near =
      uneven.find(({ separator }) => separator !== " ") ??
      uneven.find(({ rows }) => rows.filter(({ cells }) => cells.some(isNumber)).length >= rows.length / 2);
    if (!near && fault) throw fault;
    return { separator: near?.separator ?? null, body: text };
  };

  const BAD_FILES = [
    [
      /^PK/,
      "This is an Excel or OpenDocument workbook, which a page cannot open by itself: copy the two columns in the " +
        "spreadsheet and paste them here, or save them as CSV.",
    ],
    [/^%PDF/, "This is a PDF, not a table: copy the two columns from the spreadsheet, or from a CSV file."],
    [
      /^\s*<(!doctype|html|\?xml|table)/i,
      "This is a web page or XML, not a table of text: copy the cells that you see and paste them.",
    ],
    [/^\s*[[{]["{[]/, "This is JSON, not a table: save it as CSV."],
    [/\0/, "This is no text: save the table as CSV (UTF-8)."],
  ];

  // A rectangle of cells: separator, width, records; what no table may be is refused.
  const rectangle = (raw) => {
    for (const [sign, why] of BAD_FILES) if (sign.test(raw.slice(0, 4000))) refuse(why);
    const text = raw.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
    if (!text.trim()) refuse("There is nothing to read yet: paste two columns, or choose a file.");
    const { separator, body } = separate(text);
    if (!separator) {
      refuse("There is one column only. Two are needed: the numbers, and beside each the group that it belongs to.");
    }
    let rows = records(body, separator);
    const lengths = new Map();
    for (const { cells } of rows) lengths.set(cells.length, (lengths.get(cells.length) ?? 0) + 1);
    const [usual] = [...lengths].sort((a, b) => b[1] - a[1])[0];
    if (rows.length > 2 && rows[0].cells.length === 1 && usual > 1) {
      refuse(
        `Line ${rows[0].line}, ${quoted(rows[0].cells[0])}, is one field and the others are ${usual}: if it is a title, leave it out.`,
      );
    }
    const width = separator === "\t" ? Math.max(...lengths.keys()) : rows[0].cells.length;
    for (const { line, cells } of rows) {
      if (cells.length === width) continue;
      if (separator === "\t") {
        while (cells.length < width) cells.push("");
        continue;
      } // which a spreadsheet leaves off
      const comma =
        separator === "," && cells.length > width
          ? " If the comma is a decimal mark, save the table with semicolons or tabs between the fields."
          : "";
      refuse(
        `Line ${line} has ${count(cells.length, "field")}, line ${rows[0].line} has ${width}: is a cell or a quote missing, ` +
          `or is another table below?${comma}`,
      );
    }
    const used = Array.from({ length: width }, (_, k) => rows.some(({ cells }) => cells[k].trim()));
    const [first, last] = [used.indexOf(true), used.lastIndexOf(true)];
    const gap = used.indexOf(false, first);
    if (gap > first && gap < last)
      refuse(`Column ${gap + 1} is empty between others: are these two tables side by side? Paste one of them.`);
    if (first === last) {
      refuse("There is one column only. Two are needed: the numbers, and beside each the group that it belongs to.");
    }
    if (first > 0 || last < width - 1) rows = rows.map(({ line, cells }) => ({ line, cells: cells.slice(first, last + 1) }));
    return { separator, rows, width: last - first + 1 };
  };

  const shares = (rows, width) =>
    Array.from({ length: width }, (_, k) => {
      const there = rows.filter(({ cells }) => !MARKS.has(cells[k].trim()));
      return there.length ? there.filter(({ cells }) => isNumber(cells[k])).length / there.length : 0;
    });

  // Whether the first line names the columns: no number in it, and some column of numbers below.
  const namesOf = ({ rows, width }) => {
    const numeric = shares(rows.slice(1, 1001), width).map((share) => share >= 0.5),
      { cells } = rows[0];
    const header =
      numeric.some((is, k) => is && !isNumber(cells[k]) && !MARKS.has(cells[k].trim())) &&
      !numeric.some((is, k) => is && isNumber(cells[k]));
    if (!header) return { names: null, body: rows };
    const names = cells.map((cell, k) => cell.trim().replace(/\s+/g, " ") || `column ${k + 1}`);
    const again = names.findIndex((name, k) => names.indexOf(name) < k);
    if (again >= 0) refuse(`Two columns are called ${quoted(names[again])}: rename one of them.`);
    return { names, body: rows.slice(1) };
  };

  calculator.cellsOf = {
    MARKS,
    POINT,
    COMMA,
    SEPARATORS,
    Refused,
    refuse,
    quoted,
    count,
    bare,
    isNumber,
    rectangle,
    namesOf,
    shares,
  };
})();
