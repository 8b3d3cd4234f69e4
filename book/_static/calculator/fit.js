// Rows in groups to what is known of their mean: complete, no and partial pooling of y ~ 1, as helpers/fits does it, to nine
// digits or more (a test compares them). No N x N matrix is made: a group counts by its size, its mean and a sum of squares.
(() => {
  const { t, f, chi2, root, least } = calculator;
  const LEVEL = 0.95, TAIL = (1 - LEVEL) / 2;
  const FEW = 0.5;  // Kenward and Roger's df below this share of J - 1 no longer describe their own error
  const NONE = 1e-9;  // a standard error that is rounding, as a share of the deviation within groups
  const ROUNDING = 1e-26;  // and a sum of squares
  const sum = (J, of) => { let all = 0; for (let j = 0; j < J; j++) all += of(j); return all; };

  // ---- rows to groups: the corrected two-pass formula (Chan et al. 1983), about a value amid the rows, so that a large
  // offset costs no digits

  // values and the number of each one's group, both arrays; labels of the J groups.
  const summarise = (values, codes, labels) => {
    const J = labels.length, N = values.length, shift = values[0];
    const sizes = new Float64Array(J), first = new Float64Array(J), steps = new Float64Array(J);
    for (let i = 0; i < N; i++) { sizes[codes[i]] += 1; first[codes[i]] += values[i]; }
    for (let j = 0; j < J; j++) first[j] /= sizes[j];
    let square = 0;
    for (let at = 0; at < N; at += 128) {  // by blocks, so that rounding does not grow with N
      let block = 0;
      for (let i = at; i < Math.min(at + 128, N); i++) {
        const away = values[i] - first[codes[i]];
        steps[codes[i]] += away;
        block += away * away;
      }
      square += block;
    }
    for (let j = 0; j < J; j++) steps[j] /= sizes[j];
    const means = first.map((mean, j) => mean - shift + steps[j]);
    const within = Math.max(0, square - sum(J, (j) => sizes[j] * steps[j] ** 2));
    return { labels, sizes, means, shift, within, constant: values.every((value) => value === shift) };
  };

  // Sizes, means and standard deviations of the rows of each group, as arrays; a group of one row needs no deviation.
  const ofGroups = (sizes, means, sds, labels) => ({
    labels,
    sizes: Float64Array.from(sizes),
    means: Float64Array.from(means, (mean) => mean - means[0]),
    shift: means[0],
    within: sum(sizes.length, (j) => sizes[j] > 1 ? (sizes[j] - 1) * sds[j] ** 2 : 0),
    constant: false,
  });

  // ---- the restricted likelihood as a function of r = psi / theta: its score has a closed form, its root is the estimate

  // Means about the mean over all rows, in units of the outcome's own spread; groups of one size are counted together.
  const prepare = ({ sizes, means, within }) => {
    const J = sizes.length, N = sum(J, (j) => sizes[j]);
    const centre = sum(J, (j) => sizes[j] * means[j]) / N;
    const whole = within + sum(J, (j) => sizes[j] * (means[j] - centre) ** 2);
    const scale = Math.sqrt(whole) || 1;
    const m = Float64Array.from(means, (mean) => (mean - centre) / scale);
    const of = new Map();
    for (let j = 0; j < J; j++) {
      const known = of.get(sizes[j]) ?? of.set(sizes[j], { n: sizes[j], count: 0, first: 0, second: 0 }).get(sizes[j]);
      known.count += 1;
      known.first += m[j];
      known.second += m[j] ** 2;
    }
    const kinds = [...of.values()].sort((a, b) => a.n - b.n);
    return { J, N, D: N - 1, sizes, m, centre, scale, kinds, within: within / whole };
  };
  const over = (kinds, of) => { let all = 0; for (const kind of kinds) all += of(kind); return all; };

  // Generalised least squares at r, theta = 1: the weight of all, the mean, and the sum of squares that is left.
  const gls = ({ kinds, within }, r) => {
    let A = 0, B = 0, C = 0;
    for (const { n, count, first, second } of kinds) {
      const w = n / (1 + n * r);
      A += w * count;
      B += w * first;
      C += w * second;
    }
    return { A, mean: B / A, between: Math.max(C - B * B / A, 0), rss: within + Math.max(C - B * B / A, 0) };
  };
  const logDet = ({ kinds }, r) => over(kinds, ({ n, count }) => count * Math.log1p(n * r));
  const criterion = (data, r) => {
    const { A, rss } = gls(data, r);
    return data.D * Math.log(rss) + logDet(data, r) + Math.log(A);
  };
  const score = (data, r) => {
    const { A, mean, rss } = gls(data, r);
    return over(data.kinds, ({ n, count, first, second }) => {
      const w = n / (1 + n * r);
      return w * count - w * w * (data.D * (second - 2 * mean * first + mean * mean * count) / rss + count / A);
    });
  };

  // The ratio at the highest of the maxima, 0 at the boundary: a scan before the root, for there can be several.
  const bestRatio = (data) => {
    const { kinds, D, within } = data, smallest = kinds[0].n, largest = kinds.at(-1).n;
    let most = D * over(kinds, ({ second }) => second) / within, grid, scores;
    do {
      const low = Math.log(1e-3 / largest), high = Math.log(10 * Math.max(1 / smallest, most));
      const points = Math.floor(5 * (high - low) / Math.LN10);
      grid = Array.from({ length: points }, (_, k) => k && Math.exp(low + (high - low) / (points - 1) * k));
      scores = grid.map((r) => score(data, r));
      most *= 1e3;
    } while (!(scores.at(-1) > 0));
    const minima = scores[0] > 0 ? [0] : [];
    for (let k = 0; k + 1 < grid.length; k++) {
      if (scores[k] <= 0 && scores[k + 1] > 0) minima.push(root((r) => score(data, r), grid[k], grid[k + 1]));
    }
    return minima.length > 1 ? minima.reduce((a, b) => criterion(data, b) < criterion(data, a) ? b : a) : minima[0];
  };

  // psi / theta and theta. In groups of one size REML is the analysis of variance.
  const reml = (data) => {
    const { J, N, kinds, within } = data;
    if (kinds.length > 1) {
      const r = bestRatio(data);
      return { r, theta: gls(data, r).rss / data.D };
    }
    const n = kinds[0].n, square = n * gls(data, 0).between / n, theta = within / (N - J);
    const between = square / (J - 1);
    return between > theta ? { r: (between / theta - 1) / n, theta } : { r: 0, theta: (square + within) / data.D };
  };

  // ---- how well the mean of all groups is known: Kenward and Roger (1997), bounded where their df collapse

  const information = ({ J, N, kinds }, r) => {
    const power = (a, b) => over(kinds, ({ n, count }) => count * n ** a / (1 + n * r) ** b);
    const cov = 1 / power(1, 1), P = [-power(2, 2), -power(1, 2)];
    const Q = [[power(3, 3), power(2, 3)], [power(2, 3), power(1, 3)]];
    const marginal = [[power(2, 2), power(1, 2)], [power(1, 2), power(0, 2) + N - J]];
    const expected = [0, 1].map((i) => [0, 1].map((k) =>
      marginal[i][k] - 2 * cov * Q[i][k] + cov * cov * P[i] * P[k]));
    const [[a, b], [, d]] = expected, det = a * d - b * b;
    return { cov, P, Q, spread: [[2 * d / det, -2 * b / det], [-2 * b / det, 2 * a / det]] };
  };
  const kenwardRoger = (data, r, theta) => {
    const { cov, P, Q, spread } = information(data, r);
    const pairs = [[0, 0], [0, 1], [1, 0], [1, 1]];
    const bias = pairs.reduce((all, [i, k]) => all + spread[i][k] * (Q[i][k] - P[i] * cov * P[k]), 0);
    const df = 2 / pairs.reduce((all, [i, k]) => all + cov * P[i] * spread[i][k] * cov * P[k], 0);
    const bounded = !(df >= Math.max(FEW * (data.J - 1), 1 - 1e-9));  // two groups of one size have 1, nearly
    return { variance: theta * (cov + 2 * cov * bias * cov), df: bounded ? data.J - 1 : df, bounded };
  };

  // ---- the mean of one group, the variances unknown too: averaged over r by the restricted likelihood (fits/prediction.py)

  const NODES = 48;
  const legendre = (() => {  // points and weights of Gauss and Legendre between 0 and 1
    const points = [];
    for (let k = 0; k < NODES; k++) {
      let x = Math.cos(Math.PI * (k + 0.75) / (NODES + 0.5)), slope = 1;
      for (let step = 0; step < 8; step++) {
        let [before, here] = [1, x];
        for (let i = 2; i <= NODES; i++) [before, here] = [here, ((2 * i - 1) * x * here - (i - 1) * before) / i];
        slope = NODES * (x * here - before) / (x * x - 1);
        x -= here / slope;
      }
      points.push([(1 - x) / 2, 1 / ((1 - x * x) * slope * slope)]);
    }
    return points;
  })();
  const spaced = (low, high, points) => Array.from({ length: points }, (_, k) => low * (high / low) ** (k / (points - 1)));

  const ratioWeights = (data, r) => {
    const harmonic = data.J / over(data.kinds, ({ n, count }) => count / n), best = Math.log1p(harmonic * r);
    const above = (u) => criterion(data, Math.expm1(u) / harmonic), lowest = above(best);
    const outermost = (points) => {
      let last = -1;
      points.forEach((u, k) => { if (above(u) - lowest <= 40) last = k; });
      return points.length ? points[Math.min(last + 1, points.length - 1)] : 0;
    };
    const steps = spaced(1e-6, 50, 80);
    const low = best ? [...steps.filter((step) => best > step).map((step) => best - step), 0] : [0];
    const high = steps.map((step) => best + step).filter((u) => u <= Math.max(25, best + 1));
    const start = outermost(low), stop = outermost(high);
    const weighed = legendre.map(([x, weight]) => {
      const u = start + (stop - start) * x;
      return { r: Math.expm1(u) / harmonic, share: weight * Math.exp((lowest - above(u)) / 2) };
    });
    const all = weighed.reduce((total, { share }) => total + share, 0);
    return weighed.map(({ r: ratio, share }) => ({ ratio, share: share / all }));
  };
  const squaredErrorOfGroup = (data, r, mean, j) => {
    const n = data.sizes[j], own = data.m[j], weights = ratioWeights(data, r);
    const at = weights.map(({ ratio }) => gls(data, ratio));
    const theta = 1 / weights.reduce((all, { share }, k) => all + share * data.D / at[k].rss, 0);
    const effect = n * r / (1 + n * r) * (own - mean);
    return weights.reduce((all, { ratio, share }, k) => {
      const factor = n * ratio / (1 + n * ratio);
      const away = at[k].mean - mean + factor * (own - at[k].mean) - effect;
      return all + share * (theta * factor / n + away ** 2 + (1 - factor) ** 2 * theta / at[k].A);
    }, 0);
  };

  // ---- a group and a row not yet seen: from the spread of the group means (fits/intervals.py)

  const predicted = (data, r, theta, oneRow) => {
    const { J, N, m, kinds } = data, inverse = over(kinds, ({ n, count }) => count / n) / J;
    const level = sum(J, (j) => m[j]) / J, { cov, P } = information(data, r);
    const [ofPsi, ofTheta] = P.map((p) => -cov * cov * p), within = data.within / (N - J);
    let square = sum(J, (j) => (m[j] - level) ** 2) / (J - 1);
    square = Math.max(square, Math.min(theta * inverse, 4 * square * (1 + 1 / J) / (1 + ofPsi)));
    const between = square * (1 + ofPsi);
    const rest = within * (Math.max(ofTheta - ofPsi * inverse, 0) + (oneRow ? 1 - inverse : 0));
    const spread = between ** 2 / (J - 1) + rest ** 2 / (N - J), mse = between + rest;
    return { mse, df: spread > 0 ? mse ** 2 / spread : J - 1 };
  };

  // ---- intervals of the variances: the exact pivot of r (Wald 1940), that of psi made of it, and the profile of psi

  const pivot = (data) => {
    const { J, N, within } = data;
    const statistic = (r) => gls(data, r).between / (J - 1) / (within / (N - J));
    const ratio = (probability) => {
      const aim = f.ppf(probability, J - 1, N - J);
      if (statistic(0) <= aim) return 0;
      let high = 1;
      while (statistic(high) > aim) high *= 10;
      return root((r) => statistic(r) - aim, high > 1 ? high / 10 : 0, high);
    };
    const ends = [1 - TAIL, TAIL].map((probability) => [ratio(probability), probability]);
    return {
      statistic: statistic(0),
      icc: ends.map(([r]) => r / (1 + r)),
      psi: ends.map(([r, probability]) => r * gls(data, r).between / chi2.ppf(probability, J - 1)),
    };
  };

  // s of s - log s = 1 + room, above 1 and below it: Newton on a convex function of v = log s, from outside.
  const solved = (room, v) => {
    const side = Math.sign(v);
    for (let k = 0; k < 60 && side * v > 0; k++) {
      const step = (Math.expm1(v) - v - room) / Math.expm1(v);
      v -= step;
      if (Math.abs(step) <= 1e-16 * side * v) break;
    }
    return Math.exp(v);
  };
  const above1 = (room) => solved(room, Math.sqrt(2 * room));
  const below1 = (room) => solved(room, room > 0 ? -1 - room : 0);

  // Profile interval of psi under the restricted likelihood, in units of the spread (fits/profile_intervals.py).
  const profileOfPsi = (data, best) => {
    const most = criterion(data, best) + chi2.ppf(LEVEL, 1);
    const excess = (r) => criterion(data, r) - most;
    const grid = [0, ...spaced(1e-9, 1e9, 500).map((r) => r * Math.max(best, 1e-3)), best].sort((a, b) => a - b);
    const inside = grid.map((r) => excess(r) <= 0);
    const first = inside.indexOf(true), last = inside.lastIndexOf(true);
    const low = first === 0 ? 0 : root(excess, grid[first - 1], grid[first]), high = root(excess, grid[last], grid[last + 1]);
    const psi = (of) => (r) => {
      const { A, rss } = gls(data, r);
      const room = Math.max(most - data.D * Math.log(rss) - logDet(data, r) - Math.log(A), 0) / data.D;
      return r * rss / (data.D * of(room));
    };
    const extreme = (value) => {
      const points = low > 0 ? Array.from({ length: 256 }, (_, k) => low + (high - low) * k / 255) : [0, ...spaced(high * 1e-6, high, 256)];
      const values = points.map(value), k = values.indexOf(Math.min(...values));
      return Math.min(values[k], least(value, points[Math.max(k - 1, 0)], points[Math.min(k + 1, points.length - 1)]));
    };
    const lower = psi(above1), upper = psi(below1);
    return [extreme(lower), -extreme((r) => -upper(r))];
  };

  // ---- all of it

  const refuse = (summary, data) => {
    const { J, N } = data, { sizes } = summary;
    if (J < 2) return `All rows are in one group, ${summary.labels[0]}: comparing groups takes two or more.`;
    if (N === J) {
      return "Every group has one row only: what varies between groups and what varies within them cannot be told apart. "
        + "Is the column of groups the right one?";
    }
    const whole = summary.within + sum(J, (j) => sizes[j] * summary.means[j] ** 2);
    if (summary.constant || !(whole > 0)) return "All numbers are the same: nothing is left to estimate a standard error from.";
    if (!(data.scale > 1e-150 && data.scale < 1e150)) return "The numbers are too far from 1 to be squared: change their unit.";
    if (summary.within <= ROUNDING * whole) {
      return "The numbers do not vary within any group: the variance within is 0. Keep one row for each group, "
        + "and take the mean and the standard error of these.";
    }
    return "";
  };

  const fit = (summary) => {
    const data = prepare(summary), why = refuse(summary, data);
    if (why) return { refused: why };
    const { J, N, m, scale } = data, { sizes, labels } = summary;
    const level = data.centre + summary.shift;  // what the means are counted from
    const inverse = sum(J, (j) => 1 / sizes[j]);
    const { r, theta } = reml(data), psi = r * theta, { mean } = gls(data, r);
    const thetaWithin = data.within / (N - J), thetaOfAll = 1 / data.D;  // the whole sum of squares is 1
    const kr = kenwardRoger(data, r, theta);
    const ofMeans = sum(J, (j) => m[j]) / J;

    // Bell and McCaffrey's CR2 of a mean, with Satterthwaite's df for independent rows
    const leverage = Array.from(sizes, (n) => n / N);
    const cr2 = sum(J, (j) => (leverage[j] * m[j]) ** 2 / (1 - leverage[j]));
    const own = leverage.map((h) => h / (1 - h) / N), q = leverage.map((h) => (h / Math.sqrt(1 - h)) ** 2 / N);
    const inner = sum(J, (j) => q[j]), trace = sum(J, (j) => own[j]) - inner;
    const dfOfCR2 = trace ** 2 / (sum(J, (j) => own[j] * (own[j] - 2 * q[j])) + inner ** 2);

    let one = 0;
    for (let j = 1; j < J; j++) if (sizes[j] > sizes[one]) one = j;
    const pooled = Float64Array.from(m, (own_, j) => mean + sizes[j] * r / (1 + sizes[j] * r) * (own_ - mean));

    const none = NONE * Math.sqrt(theta);
    const line = (question, method, at, variance, df) => {
      const estimate = level + scale * at, se = Math.sqrt(variance);
      if (se <= none) return { question, method, estimate, se: NaN, df: NaN, lower: NaN, upper: NaN };
      const half = scale * t.isf(TAIL, df) * se;
      return { question, method, estimate, se: scale * se, df, lower: estimate - half, upper: estimate + half };
    };
    const group = predicted(data, r, theta, false), row = predicted(data, r, theta, true);
    const lines = [
      line("one", "no pooling", m[one], thetaWithin / sizes[one], N - J),
      line("one", "partial pooling", pooled[one], squaredErrorOfGroup(data, r, mean, one), N - J),
      line("these", "no pooling", ofMeans, thetaWithin * inverse / J ** 2, N - J),
      line("all", "partial pooling", mean, kr.variance, kr.df),
      line("all", "t test on group means", ofMeans, sum(J, (j) => (m[j] - ofMeans) ** 2) / (J - 1) / J, J - 1),
      line("new", "partial pooling", mean, group.mse, group.df),
      line("row", "partial pooling", mean, row.mse, row.df),
      line("rows", "complete pooling", 0, thetaOfAll / N, N - 1),
      line("rows", "complete pooling, CR2", 0, cr2, dfOfCR2),
    ];

    const exact = pivot(data), square = scale ** 2;
    const statistic = r > 0 ? Math.max(0, criterion(data, 0) - criterion(data, r)) : 0;
    const n0 = (N - sum(J, (j) => sizes[j] ** 2) / N) / (J - 1);
    return {
      labels, sizes, J, N, one, lines,
      means: Array.from(m, (value) => level + scale * value),
      pooled: Array.from(pooled, (value) => level + scale * value),
      mean: level + scale * mean,
      psi: psi * square, theta: theta * square, icc: r / (1 + r), singular: r === 0,
      effective: theta * (r + 1) / kr.variance,
      thetaWithin: thetaWithin * square, dfWithin: N - J, tOfGroup: t.isf(TAIL, N - J), bounded: kr.bounded,
      psiInterval: exact.psi.map((end) => end * square), iccInterval: exact.icc,
      get profileOfPsi() { return profileOfPsi(data, r).map((end) => end * square); },  // which few ask for
      thetaInterval: [1 - TAIL, TAIL].map((probability) => (N - J) * thetaWithin * square / chi2.ppf(probability, N - J)),
      pOfPsi: statistic ? chi2.sf(statistic, 1) / 2 : 1,
      alike: {
        f: exact.statistic, between: J - 1, within: N - J,
        p: f.cdf(exact.statistic, J - 1, N - J), icc: (exact.statistic - 1) / (exact.statistic + n0 - 1),
      },
    };
  };

  Object.assign(calculator, { LEVEL, summarise, ofGroups, fit });
})();
