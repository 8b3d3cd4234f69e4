// What to watch, of the report's list (helpers/report/watch) all that needs no predictor and no other column: the same
// thresholds and words, in the same order; a test compares them.
(() => {
  const { normal, t, words } = calculator;
  const { fixed, general, figures, bySE, degrees, share, rows, name, oneGroup, extent, hasTwoValues, strangers, lineOf, LEVEL } =
    words;
  const FEW = 30,
    VERY_FEW = 10,
    UNEQUAL = 1.5,
    FAR = 0.01,
    SETS = 5;
  const root = Math.sqrt;
  const seOfMean = (found) => lineOf(found, "partial pooling", "all");

  function* missingValues(found, read) {
    if (!read.left.length) return;
    const total = read.left.length,
      told = [];
    for (const column of [read.outcome, read.group]) {
      const lack = read.left.filter(({ lacks }) => lacks.includes(column));
      if (!lack.length) continue;
      const marks = new Map(); // marks of a program are said, others are nothing in any file
      for (const { mark } of column === read.outcome ? lack : [])
        if (/^(\.|#NULL!)$/.test(mark)) marks.set(mark, (marks.get(mark) ?? 0) + 1);
      const kinds = [...marks].sort().map(([mark, number]) => `${number} as ${mark}`);
      const rest = lack.length - [...marks.values()].reduce((all, number) => all + number, 0);
      if (kinds.length && rest) kinds.push(`${rest} as empty or NA`);
      told.push(`${name(column)} is missing in ${lack.length}${kinds.length ? ` (${kinds.join(", ")})` : ""}`);
    }
    const both = read.left.filter(({ lacks }) => lacks.length > 1).length;
    const part = share(total / (total + found.N), 1),
      several = both ? ` (${both} lack more than one)` : "";
    yield (
      `Missing values: ${rows(total)} (${part}) left out: ${told.join(", ")}${several}. The standard errors speak of the rows that ` +
      "are left. If what is missing depends on what is not seen, no standard error says so: look at who is missing, by group."
    );
  }

  function* twoValues(found, read) {
    if (!hasTwoValues(read)) return;
    const [low, high] = extent(read.values).map((value) => general(value, 6));
    yield (
      `Two values: ${name(read.outcome)} is ${low} or ${high} and nothing else. Its variance goes with its mean, which this model takes ` +
      `for constant. For the mean, the CR2 row (notebook 10) does not need that. Intervals may leave ${low} to ${high}, and one row to ` +
      'come has none. Where shares are near 0 or 1, fit a mixed logistic model instead: see "Yes or no" on the page "Where this course ends".'
    );
  }

  const CODES = new Set(
    [1, -1].flatMap((sign) => [7, 8, 9, 77, 88, 99, 777, 888, 999].map((code) => sign * code)).concat([97, 98, 997, 998]),
  );
  // A code at the end of few whole numbers that follow each other, such as 9 after 0 and 1.
  const codeAmongFew = (values, counts) => {
    if (values.length < 3 || values.length > 12) return null;
    for (const atEnd of [true, false]) {
      const k = atEnd ? values.length - 1 : 0,
        next = atEnd ? k - 1 : 1,
        rest = atEnd ? values.slice(0, -1) : values.slice(1);
      const apart = Math.abs(values[k] - values[next]);
      if (!CODES.has(values[k]) || rest.some((value, i) => i && value - rest[i - 1] !== 1) || apart < 2) continue;
      if (apart > rest.at(-1) - rest[0] + 1 || counts[k] > counts[next]) return [[values[k]], counts[k], values[next]];
    }
    return null;
  };
  const farOff = (all) => {
    const values = [],
      counts = [];
    for (const value of Float64Array.from(all).sort()) {
      if (value === values.at(-1)) counts[counts.length - 1] += 1;
      else {
        values.push(value);
        counts.push(1);
      }
    }
    const code = codeAmongFew(values, counts);
    if (code) return code;
    if (values.length < 4) return null;
    let k = 1;
    for (let i = 2; i < values.length; i++) if (values[i] - values[i - 1] > values[k] - values[k - 1]) k = i;
    const add = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
    const low = add(counts.slice(0, k)) < add(counts.slice(k));
    const [few, most] = low ? [values.slice(0, k), values.slice(k)] : [values.slice(k), values.slice(0, k)];
    const number = add(low ? counts.slice(0, k) : counts.slice(k)),
      spread = most.at(-1) - most[0];
    const enough = number > 1 && values.length > 20 ? spread / 2 : spread;
    if (few.length > 3 || most.length < 3 || values[k] - values[k - 1] <= enough) return null;
    return [few, number, low ? values[k] : values[k - 1]];
  };
  function* valuesFarOff(found, read) {
    const far = read.values && farOff(read.values);
    if (!far) return;
    const [values, number, near] = far;
    const many = values.map((value) => general(value, 6)).join(" and ");
    yield (
      `Values far off: ${name(read.outcome)} has ${many} in ${rows(number)}; the nearest other value is ${general(near, 6)}. Is that a code ` +
      "for a missing value? Then leave the field empty, or say so with missing_values (--missing-values)."
    );
  }

  function* aGroupForEachRow({ J, N }, read) {
    if (J > N / 2) {
      yield (
        `A group for each row, nearly: ${N} rows in ${J} groups. Is ${name(read.group)} the number of a row rather than of a group? Little is ` +
        "left to tell psi from theta (notebook 06)."
      );
    }
  }

  function* fewGroups(found) {
    const { J } = found;
    if (J >= FEW) return;
    const covered = 1 - 2 * t.sf(normal.isf((1 - calculator.LEVEL) / 2), J - 1);
    let text =
      `${J >= VERY_FEW ? "Few groups" : "Very few groups"}: ${J} (fewer than ${FEW}). With the normal distribution in the place of t, an ` +
      `interval would hold the mean of all groups in about ${share(covered, 1)} of studies and not in ${LEVEL} (groups of one size); use t on ` +
      "the df of the table (notebook 09).";
    if (J < VERY_FEW && !found.singular) {
      const [low, between, high] = [found.profileOfPsi[0], found.psi, found.profileOfPsi[1]].map((psi) =>
        figures(root(psi)),
      );
      text +=
        ` ${J} groups also say little of psi: the standard deviation between groups, ${between}, has a ${LEVEL} profile interval from ${low} ` +
        `to ${high} (notebook 06).`;
    }
    yield text;
  }

  function* singularFit(found) {
    if (strangers(found).found || !found.singular) return;
    yield (
      "Singular fit: psi, the variance between groups, is estimated as 0. Partial pooling then gives the estimates of complete pooling. Its " +
      "standard errors and df are Kenward and Roger's, which count groups where groups are asked about (notebook 09). That groups are alike is " +
      `not shown: a standard deviation between them of up to ${figures(root(found.profileOfPsi[1]))} agrees with the data (${LEVEL} profile ` +
      "interval). Report that end too, and set the CR2 row beside it (notebooks 06 and 10)."
    );
  }

  function* lessAlike(found, read) {
    const test = strangers(found),
      of = name(read.group);
    if (!test.found) return;
    const robust = lineOf(found, "complete pooling, CR2", "rows"),
      model = seOfMean(found);
    const [ours, theirs] = bySE([robust.se, model.se], robust.se);
    const have = Number.isNaN(robust.se)
      ? ""
      : `CR2 needs no psi, and sentence and code have it: SE of the mean ${ours} on ${degrees(robust.df)} df (partial pooling ${theirs}). `;
    const same = test.f < 1e-9 ? `Every ${of} has the same mean: is a total shared out, or are these ranks? ` : "";
    yield (
      `Less alike than strangers: rows of one ${of} differ more than rows of two (${test.words}; correlation of two rows of one ${of} ` +
      `${fixed(test.icc, 3)}). Psi, a variance, cannot say so. The table's lines of partial pooling do not hold then: their SE is too small for ` +
      `what is compared within a ${of}, too large for the mean of whole groups. ${have}${same}If something that moves the rows of all groups ` +
      "alike (time, treatment) is not among the predictors, name it: left out, it makes F small too (notebook 06)."
    );
  }

  function* dfCollapse(found, read) {
    if (!found.bounded) return;
    yield (
      `Kenward and Roger's df collapse: ${extent(found.sizes)[1]} of ${found.N} rows are of one ${name(read.group)}, and what they expand is no ` +
      "use then (they can fall below 1). Where they fell below half of the groups less the coefficients on their level, these, " +
      `${degrees(found.J - 1)}, take their place, beside their standard error, which is large. A t test on the group means holds too (notebook 09).`
    );
  }

  // What two texts share that may be one name.
  const loosely = (text) => {
    const plain = text.toLowerCase().replace(/\s+/g, ""),
      number = plain.replace(",", ".");
    return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/.test(number) ? String(Number(number)) : plain;
  };
  const quoted = (text) => (text.includes("'") && !text.includes('"') ? `"${text}"` : `'${text.replace(/[\\']/g, "\\$&")}'`);
  function* namesAlike({ labels }, read) {
    const same = new Map();
    for (const label of labels) same.set(loosely(label), [...(same.get(loosely(label)) ?? []), label]);
    const sets = [...same].filter(([, names]) => names.length > 1).sort(([a], [b]) => (a < b ? -1 : 1));
    const what = `groups of ${name(read.group)}`;
    for (const [, names] of sets.slice(0, SETS)) {
      yield (
        `Names alike: ${names.map((text) => quoted(text.slice(0, 40))).join(" and ")} are ${names.length} ${what}. If they are one, write them alike ` +
        "in the file."
      );
    }
    if (sets.length > SETS) yield `Names alike: of the ${what}, ${sets.length} such sets in all; ${SETS} are named here.`;
  }

  function* veryUnequalSizes(found) {
    const { sizes, J, N } = found,
      [least, most] = extent(sizes);
    const ratio = (N / J) * (sizes.reduce((all, n) => all + 1 / n, 0) / J),
      crowd = N ** 2 / sizes.reduce((all, n) => all + n * n, 0);
    if (ratio <= UNEQUAL && crowd >= J / 2) return;
    const model = seOfMean(found),
      of = (method, question) => lineOf(found, method, question).estimate;
    const three = bySE([of("complete pooling", "rows"), model.estimate, of("no pooling", "these")], model.se);
    yield (
      `Very unequal sizes: ${least} to ${rows(most)}; the mean size is ${fixed(ratio, 2)} times the harmonic mean (more than ${UNEQUAL} counts as ` +
      `very), and by size the groups count as ${fixed(crowd, 1)} equal ones. So the three means part: ${three[0]} over all rows, ${three[1]} by ` +
      `partial pooling, ${three[2]} with each group counted once. If size goes with the outcome they are different questions: say which you mean ` +
      "(notebook 05)."
    );
  }

  function* groupsOfOneRow({ sizes, J, N }) {
    const ones = sizes.filter((n) => n === 1).length;
    if (ones && J <= N / 2) {
      yield (
        `Groups of one row: ${ones} of ${J}. One of them by itself shows psi + theta, not its parts: how well its own mean is known rests on the ` +
        "theta of the larger groups (notebook 05)."
      );
    }
  }

  function* aGroupFarOut(found, read) {
    if (found.singular) return;
    const { J, means, sizes, psi, theta } = found;
    const away = means.map((mean, j) => Math.abs(mean - found.mean) / root(psi + theta / sizes[j]));
    const k = away.indexOf(extent(away)[1]);
    if (J * 2 * normal.sf(away[k]) >= FAR) return;
    yield (
      `A group far out: ${oneGroup(read.group, found.labels[k])} (${rows(sizes[k])}) has the mean ${bySE([means[k]], seOfMean(found).se)[0]}, ` +
      `${fixed(away[k], 1)} standard deviations from the mean of all, too far for a normal model. See whether its rows are right: partial pooling ` +
      "takes part of the distance for chance (notebook 07)."
    );
  }

  const WATCHED = [
    missingValues,
    twoValues,
    valuesFarOff,
    aGroupForEachRow,
    fewGroups,
    singularFit,
    lessAlike,
    dfCollapse,
    namesAlike,
    veryUnequalSizes,
    groupsOfOneRow,
    aGroupFarOut,
  ];
  calculator.warnings = (found, read) => WATCHED.flatMap((watched) => [...watched(found, read)]);
})();
