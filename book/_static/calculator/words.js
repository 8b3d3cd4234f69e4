// What the report says in words and figures, word for word (helpers/report/words.py, of_one.py and sentence.py; a test compares
// the two): how a number is printed, the questions of the table, how the data are grouped, the sentence, the calls.
(() => {
  const WORD = /^(?=.*[aeiouyäöüéè])\p{L}{3,}$/iu;

  // ---- numbers, rounded as Python does: of two that are equally near, the even one

  const fixed = (value, places) => {
    const size = Math.abs(value);
    let text = size.toFixed(places);
    const exact = size < 1e21 ? size.toFixed(100) : "";
    const cut = exact.length - 100 + places;
    if (/^50*$/.test(exact.slice(cut)) && /[13579]$/.test(text)) text = exact.slice(0, cut).replace(/\.$/, "");
    return (value < 0 ? "-" : "") + text;
  };
  // As "%.4g": so many digits, without zeros at the end.
  const general = (value, digits) => {
    if (value === 0) return "0";
    const size = Math.abs(value),
      sign = value < 0 ? "-" : "";
    let power = Number(size.toExponential(digits - 1).split("e")[1]);
    if (power >= -4 && power < digits) {
      const text = fixed(size, digits - 1 - power);
      return sign + (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
    }
    let [mantissa] = size.toExponential(digits - 1).split("e");
    if (mantissa.includes(".")) mantissa = mantissa.replace(/\.?0+$/, "");
    return `${sign}${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  };
  const powerOf = (value) => Math.floor(Math.log10(value));
  // A variance or its root in four figures, or to the last whole one.
  const figures = (value) => {
    const places = value > 0 ? 3 - powerOf(value) : 0;
    return places >= -3 && places <= 8 ? fixed(value, Math.max(places, 0)) : general(value, 4);
  };
  // Numbers with the decimals that show three digits of a standard error.
  const bySE = (values, se) => {
    const places = se > 0 && Number.isFinite(se) ? 2 - powerOf(se) : 3;
    return values.map((value) => (places >= -5 && places <= 8 ? fixed(value, Math.max(places, 0)) : general(value, 6)));
  };
  const degrees = (df) => fixed(df, df < 1000 ? 1 : 0);
  const share = (value, places = 0) => `${fixed(value * 100, places)}%`;
  const rows = (number) => `${number} row${number === 1 ? "" : "s"}`;
  const pValue = (p) => (p < 0.001 ? "<0.001" : fixed(p, 3));
  const LEVEL = general(calculator.LEVEL * 100, 6) + "%";

  // ---- names

  const name = (label, most = 60) => {
    const text = String(label)
      .replace(/[\p{C}\p{Z}]/gu, " ")
      .split(/\s+/)
      .filter(Boolean)
      .join(" ");
    return [...text].length <= most ? text : [...text].slice(0, most - 1).join("") + "\u2026";
  };
  // What a column is of, as a noun; null where its name is none.
  const thing = (column) => {
    const text = name(column)
      .replace(/(?<=[a-z])(?=[A-Z])|[_.\s]+/g, " ")
      .trim()
      .replace(/ (id|no|nr|num|number|code|key)$/i, "");
    const words = text.split(/\s+/).filter(Boolean);
    return words.length && words.every((word) => WORD.test(word)) && !/[a-z]id$/i.test(words.at(-1)) ? text : null;
  };
  const oneMore = (group) => `one more ${thing(group) ?? `group of ${name(group)}`}`;
  const oneValue = (outcome) => (thing(outcome)?.includes(" ") ? `one ${thing(outcome)}` : `one value of ${name(outcome)}`);
  const oneGroup = (group, label) => {
    const of = thing(group) ?? name(group),
      own = name(label);
    return own.toLowerCase().startsWith(of.toLowerCase()) ? own : `${of} ${own}`;
  };

  // ---- how the data are grouped, and the table

  const extent = (values) => {
    let low = Infinity,
      high = -Infinity;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return [low, high];
  };
  const sizes = (found) => {
    const [low, high] = extent(found.sizes);
    return low < high ? `${low} to ${rows(high)} each` : `${rows(low)} each`;
  };
  const grouping = (found, read) => {
    const { J, N, psi, theta, icc } = found,
      [low, high] = extent(found.sizes),
      what = name(read.outcome);
    let size = sizes(found);
    if (low < high) {
      const harmonic = J / found.sizes.reduce((all, n) => all + 1 / n, 0);
      size += ` (mean ${fixed(N / J, 1)}, harmonic mean ${fixed(harmonic, 1)})`;
    } else size = `${low} rows each`;
    const [least, most] = read.values ? extent(read.values) : [];
    const spread = read.values ? ` ${what} goes from ${general(least, 6)} to ${general(most, 6)}.` : "";
    const told = [`${N} rows in ${J} groups of ${name(read.group)}, ${size}.${spread}`];
    if (read.left.length) told.push(`${rows(read.left.length)} dropped for missing values.`);
    told.push(
      `The standard deviation of ${what} is ${figures(Math.sqrt(psi))} between the groups (psi = ${figures(psi)}) and ` +
        `${figures(Math.sqrt(theta))} within them (theta = ${figures(theta)}): of its variance ${share(icc, 1)} lies between ` +
        `(the intraclass correlation, ${fixed(icc, 3)}).`,
    );
    if (!found.singular) {
      told.push(
        `For the mean of all groups these ${N} rows are worth as much as ${fixed(found.effective, 0)} independent ones.`,
      );
    }
    return told.join(" ");
  };

  const questions = (found, { outcome, group }) => {
    const { J, one, labels } = found,
      size = found.sizes[one],
      most = found.sizes.filter((n) => n === size).length;
    const known = `${rows(size)}, ${most === 1 ? "the largest group" : "no group has more"}`,
      another = oneMore(group);
    return {
      one: [
        `How well is the mean of ${oneGroup(group, labels[one])} known (${known})?`,
        "SE over new rows of that one group",
      ],
      these: [`How well is the mean of just these ${J} groups known?`, "SE over new rows of the same groups"],
      all: ["How well is the mean of all groups there are or could be known?", "SE over new groups and new rows"],
      new: [`Where may the mean of ${another} lie?`, "SE over new groups and new rows, and the group to come"],
      row: [`Where may ${oneValue(outcome)} in ${another} lie?`, "SE over new groups and new rows, and the row to come"],
      rows: [
        "How well is the mean over all rows known?",
        "SE over rows drawn one by one (independent), or new groups of such sizes (CR2)",
      ],
    };
  };
  const estimand = (found, line) =>
    ({
      one: "mean of one group",
      these: `mean of these ${found.J} groups`,
      all: "mean of all groups",
      new: "mean of a new group",
      row: "one row of a new group",
      rows: `mean of all rows${line.method === "complete pooling" ? ", as if independent" : ""}`,
    })[line.question];
  const method = (line) => line.method + (line.method === "complete pooling" ? ", independent" : "");
  const lineOf = (found, by, where) =>
    found.lines.find(({ method: known, question }) => known === by && question === where);
  // Estimate, SE, df and both ends; without an SE the estimate, in the decimals of the others.
  const cells = (line, lines) => {
    if (Number.isNaN(line.se)) {
      const known = lines.map(({ se }) => se).filter((se) => !Number.isNaN(se));
      return bySE([line.estimate], known.length ? Math.max(...known) : NaN);
    }
    const [estimate, se, low, high] = bySE([line.estimate, line.se, line.lower, line.upper], line.se);
    return [estimate, se, degrees(line.df), low, high];
  };
  const withheld = (read) => `no SE: every ${name(read.group)} has the same mean`;
  // An outcome of two values has no normal interval for one row.
  const linesOf = (found, read) => found.lines.filter(({ question }) => question !== "row" || !hasTwoValues(read));
  const hasTwoValues = ({ values }) => {
    const other = values?.find((value) => value !== values[0]);
    return other !== undefined && values.every((value) => value === values[0] || value === other);
  };
  const byQuestion = (found, read) => {
    const known = questions(found, read),
      lines = linesOf(found, read);
    return Object.entries(known)
      .map(([key, [asked, over]]) => ({ asked, over, lines: lines.filter(({ question }) => question === key) }))
      .filter((part) => part.lines.length);
  };
  const to = (written, [low, high]) => `${written(low)} to ${written(high)}`;
  const variances = (found) => [
    [
      "psi, between groups",
      figures(found.psi),
      to(figures, found.psiInterval),
      pValue(found.pOfPsi),
      "interval by psi_int, for few groups too; p from half a chi-square",
    ],
    [
      "theta, within groups",
      figures(found.theta),
      to(figures, found.thetaInterval),
      "",
      "chi-square of the rows within groups; holds for normal rows",
    ],
    [
      "intraclass correlation",
      fixed(found.icc, 3),
      to((end) => fixed(end, 3), found.iccInterval),
      "",
      "exact for normal rows and groups of any sizes",
    ],
  ];

  // ---- the sentence, and the calls

  const LESS = 0.05; // chance, at most, that groups with psi >= 0 are called less alike than strangers
  const strangers = ({ alike }) => {
    const p = alike.p >= 5e-4 ? `= ${general(alike.p, 2)}` : "< 0.0005";
    return {
      ...alike,
      found: alike.p < LESS,
      words: `F = ${general(alike.f, 2)} on ${alike.between} and ${alike.within} df, P ${p}`,
    };
  };
  const variancesInWords = (found, of) => {
    const test = strangers(found);
    if (test.found) return `${of} ${fixed(test.icc, 3)}, below 0: ${test.words}`;
    const largest = found.singular
      ? ` (${LEVEL} profile interval of its root 0 to ${figures(Math.sqrt(found.profileOfPsi[1]))})`
      : "";
    return (
      `between-group variance psi = ${figures(found.psi)}${largest}, within-group variance theta = ${figures(found.theta)}, ` +
      `${of} ${fixed(found.icc, 3)}`
    );
  };
  const sentence = (found, read) => {
    const apart = strangers(found).found;
    const ofRows = `${found.N} rows in ${found.J} groups of ${name(read.group)} (${sizes(found)}; ${variancesInWords(found, "intraclass correlation")})`;
    const lead = apart
      ? `By least squares over ${ofRows}, with cluster-robust standard errors (CR2)`
      : `In a random-intercept model fitted by REML to ${ofRows}`;
    const by = apart ? "complete pooling, CR2" : "partial pooling",
      where = apart ? "rows" : "all";
    const line = lineOf(found, by, where);
    const numbers = () => {
      if (Number.isNaN(line.se)) return `${general(line.estimate, 4)} (no standard error: see the warnings)`;
      const [estimate, se, df, low, high] = cells(line, [line]);
      return `${estimate} (${apart ? "CR2 " : "Kenward-Roger "}SE ${se}, df ${df}, ${LEVEL} CI ${low} to ${high})`;
    };
    const left = read.left.length ? ` ${rows(read.left.length)} with missing values were left out.` : "";
    return `${lead}, the mean of ${name(read.outcome)} ${apart ? "over all rows" : "in the population of groups"} was ${numbers()}.${left}`;
  };

  const inPython = (text) =>
    text.includes("'") && !text.includes('"') ? `"${text}"` : `'${text.replace(/[\\']/g, "\\$&")}'`;
  const inFormula = (text) => (/^[\p{L}_][\p{L}\p{N}_]*$/u.test(text) ? text : `\`${text}\``);
  const inR = (text) => (/^[A-Za-z][A-Za-z0-9.]*$/.test(text) ? text : `\`${text}\``);
  // The report in Python, and its standard errors in R.
  const calls = (found, { outcome, group, left }) => {
    const drop = left.length ? ', missing="drop"' : "",
      columns = [outcome, group].map((text) => JSON.stringify(text)).join(", ");
    const python = [
      "from helpers import compare, report",
      `print(compare(${inPython(`${inFormula(outcome)} ~ 1`)}, data, ${inPython(group)}${drop}))`,
      `print(report.describe(data, ${inPython(outcome)}, ${inPython(group)}${drop}))`,
    ];
    const r = [
      ...(left.length ? [`data <- na.omit(data[c(${columns})])`] : []),
      "library(lmerTest)     # partial pooling",
      `summary(lmer(${inR(outcome)} ~ 1 + (1 | ${inR(group)}), data), ddf = "Kenward-Roger")`,
      "library(clubSandwich) # complete pooling, CR2",
      `coef_test(lm(${inR(outcome)} ~ 1, data), "CR2", cluster = data$${inR(group)})`,
      "# t test on group means; no pooling",
      `t.test(tapply(data$${inR(outcome)}, data$${inR(group)}, mean))`,
      `summary(lm(${inR(outcome)} ~ factor(${inR(group)}) - 1, data))`,
    ];
    return { python: python.join("\n"), r: r.join("\n") };
  };

  // ---- to take away: the table of the report, all digits, for a spreadsheet with this decimal mark, or as Markdown

  const HEAD = ["question", "estimand", "method", "estimate", "se", "df", "lower", "upper"];
  const safe = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text); // which a spreadsheet takes for a formula
  const tsv = (found, read) => {
    const number = (value) => (Number.isNaN(value) ? "" : String(value).replace(".", read.decimal ?? "."));
    const body = byQuestion(found, read).flatMap(({ asked, lines }) =>
      lines.map((line) => [
        ...[asked, estimand(found, line), line.method].map(safe),
        ...HEAD.slice(3).map((key) => number(line[key])),
      ]),
    );
    return [HEAD, ...body].map((row) => row.join("\t")).join("\n") + "\n";
  };
  const markdown = (found, read) => {
    const plain = (text) => text.replace(/[|\\`*_<>[\]]/g, "\\$&");
    const body = byQuestion(found, read).flatMap(({ asked, lines }) =>
      lines.map((line, k) => {
        const [estimate, ...others] = cells(line, lines),
          [se, df, low, high] = others;
        return [
          k ? "" : plain(asked),
          method(line),
          estimate,
          ...(others.length ? [se, df, `${low} to ${high}`] : ["", "", withheld(read)]),
        ];
      }),
    );
    const head = ["question", "method", "estimate", "SE", "df", `${LEVEL} interval`];
    return (
      [head, ["---", "---", "--:", "--:", "--:", "---"], ...body].map((row) => `| ${row.join(" | ")} |`).join("\n") + "\n"
    );
  };

  Object.assign(calculator, {
    words: { fixed, general, figures, bySE, degrees, share, rows, name, oneGroup, extent, hasTwoValues, strangers, lineOf, LEVEL },
    grouping,
    byQuestion,
    method,
    cells,
    withheld,
    variances,
    sentence,
    calls,
    tsv,
    markdown,
  });
})();
