// The live explorers: an element that works its tables and drawings out again when a setting changes. Nothing else is loaded.
(() => {
  const all = () => document.querySelectorAll("se-explorer").forEach((each) => each.begin?.());
  if (customElements.get("se-explorer")) return all();

  // What the places of each slider stand for. A setting that is typed in, or comes by the address, may lie between them.
  const from = (low, high, step = 1) => Array.from({ length: (high - low) / step + 1 }, (_, k) => low + k * step);
  const three = (x) => Number.isNaN(x) ? "\u2013" : (x >= 1000 ? x.toFixed(1) : x.toFixed(3));
  const short = (x) => (x === Infinity ? "∞" : String(Number(x.toPrecision(6))));
  const share = (x) => `${(100 * x).toFixed(0)}%`;
  const nearest = (places, x) => {
    let best = 0;
    places.forEach((place, k) => { if (Math.abs(place - x) < Math.abs(places[best] - x)) best = k; });
    return x === Infinity ? places.length - 1 : best;
  };

  // How often |t| on df degrees of freedom stays below x: a finite sum where df is whole (Abramowitz and Stegun 26.7.3, 26.7.4).
  const normal = (x) => {  // the same of the normal distribution (26.2.11)
    let term = x, sum = x;
    for (let k = 3; term > 1e-17 * sum; k += 2) sum += term *= x * x / k;
    return Math.sqrt(2 / Math.PI) * Math.exp(-x * x / 2) * sum;
  };
  const within = (x, df) => {
    if (!(df >= 1)) return NaN;
    if (df > 3e4) {  // Fisher's expansion; what is left out is below 1e-12
      const t = x * x, density = Math.exp(-t / 2) * Math.sqrt(2 / Math.PI);
      return normal(x) - density * x * ((t + 1) / (4 * df) + (((3 * t - 7) * t - 5) * t - 3) / (96 * df * df));
    }
    const odd = df % 2, square = df / (df + x * x), sine = x / Math.sqrt(df + x * x);
    let term = odd ? Math.sqrt(square) : 1, sum = df > 1 ? term : 0;
    for (let k = odd ? 2 : 1; k <= df - 3; k += 2) sum += term *= square * k / (k + 1);
    return odd ? 2 / Math.PI * (Math.atan(x / Math.sqrt(df)) + sine * sum) : sine * sum;
  };
  const Z = 1.959963984540054;  // of 95%

  // Rows in groups of one kind.
  const ONE = {
    group: ({ theta, n }) => Math.sqrt(theta / n),
    these: ({ theta, n, J }) => Math.sqrt(theta / (J * n)),
    finite: ({ psi, theta, n, J, K }) => Math.sqrt((1 - J / K) * psi / J + theta / (J * n)),
    all: ({ psi, theta, n, J }) => Math.sqrt((psi + theta / n) / J),
    new: (at) => Math.sqrt(at.psi + ONE.all(at) ** 2),
    rows: ({ psi, theta, n, J }) => Math.sqrt((psi + theta) / (J * n)),
    // A predictor with variance 1 in each class; with one pupil a class no predictor varies there.
    slope: ({ psi_x, theta, n, J }) => n > 1 ? Math.sqrt((psi_x + theta / n) / J) : NaN,
    reported: ({ psi_x, theta, n, J }) => n > 1 ? Math.sqrt((theta / n + psi_x * (J - 1) / (J * n - J - 1)) / J) : NaN,
    floor: ({ psi_x, J }) => Math.sqrt(psi_x / J),
    s2: ({ psi, theta, n, J }) => theta + psi * n * (J - 1) / (J * n - 1),
    holds_all: ({ J }) => within(Z, J - 1),
    holds_these: (at) => within(Z * ONE.these(at) / ONE.all(at), at.J * (at.n - 1)),
    holds_rows: (at) => within(Z * Math.sqrt(ONE.s2(at) / (at.J * at.n)) / ONE.all(at), at.J * at.n - 1),
    holds_slope: ({ n, J }) => n > 1 ? within(Z, J - 1) : NaN,
    holds_reported: (at) => within(Z * ONE.reported(at) / ONE.slope(at), at.J * (at.n - 1) - 1),
    icc: ({ psi, theta }) => psi / (psi + theta),
    effect: (at) => 1 + (at.n - 1) * ONE.icc(at),
    effective: (at) => at.J * at.n / ONE.effect(at),
    F: ({ psi, theta, n }) => 1 + n * psi / theta,
  };
  const one = {
    work: (at) => Object.fromEntries(Object.entries(ONE).map(([name, formula]) => [name, formula(at)])),
    places: {
      psi: from(0, 2000, 10),
      theta: from(10, 4000, 10),
      n: from(1, 100),
      J: from(2, 100),
      K: [...from(2, 60), ...from(70, 200, 10), 300, 500, 1000, 2000, 5000, 10000, Infinity],
      psi_x: from(0, 500, 5),
    },
    least: { n: 1, J: 2, K: 2 },
    settle: (at) => ({ ...at, K: Math.max(at.K, at.J) }),  // the study's classes are among the population's
    verdict({ F, all, group }, { J }) {
      const [side, than] = F < J ? ["below", "smaller than"] : F > J ? ["above", "larger than"] : ["equal to", "equal to"];
      return `F = ${three(F)} is ${side} J = ${J}, so the SE of the mean of all classes, ${three(all)}, is ${than} `
        + `that of one class mean, ${three(group)}.`;
    },
  };

  // Two groupings, balanced: what is seen in expected mean squares, and in those that a model with fewer pools by df.
  const pooled = (squares, df, levels) => {
    const sum = (values) => levels.reduce((all, k) => all + values[k], 0);
    return sum(squares.map((square, k) => square * df[k])) / sum(df);
  };
  const errors = (models, terms, squares, df, N) => Object.fromEntries(Object.entries(models).flatMap(([model, pools]) =>
    terms.map((term, k) => [`${model}_${term}`, Math.sqrt(pooled(squares, df, pools[k]) / N)])));
  const places = { theta: from(1, 200).map((k) => k / 2), n: from(1, 50) };
  const variances = from(0, 100).map((k) => k / 4);

  const nested = {
    work({ psi_school, psi_class, theta, J, m, n }) {
      const N = J * m * n;
      const msc = theta + n * psi_class, mss = msc + m * n * psi_school;
      const whole = psi_school + psi_class + theta;
      return {
        pupils: Math.sqrt(theta / N),
        classes: Math.sqrt(msc / N),
        schools: Math.sqrt(mss / N),
        new: Math.sqrt(psi_school + mss / N),
        ...errors({
          both: [[0], [0], [1], [2]],
          school: [[0], [0], [1, 2], [1, 2]],
          room: [[0, 1], [0, 1], [0, 1], [2]],
          lm: Array(4).fill([0, 1, 2]),
        }, ["mean", "school", "class", "pupil"], [mss, msc, theta], [J - 2, J * (m - 1) - 1, J * m * (n - 1) - 1], N),
        mss, msc, msw: theta,
        icc_school: psi_school / whole,
        icc_class: (psi_school + psi_class) / whole,
        effect: mss / whole,
      };
    },
    places: {
      psi_school: variances, psi_class: variances, theta: places.theta,
      J: from(3, 100), m: from(2, 30), n: from(2, 50),
    },
    least: { J: 3, m: 2, n: 2 },
    verdict: (found, { J, m }) => `Of the right standard error, a model with the ${J} schools alone reports `
      + `${share(found.school_class / found.both_class)} for a predictor of classes and all of it for the mean; one with `
      + `the ${J * m} classes alone ${share(found.room_mean / found.both_mean)} for the mean.`,
  };

  const crossed = {
    work({ psi_a, psi_b, theta, a, b, n }) {
      const N = a * b * n;
      const msa = theta + b * n * psi_a, msb = theta + a * n * psi_b;
      const square = psi_a / a + psi_b / b + theta / N, whole = psi_a + psi_b + theta;
      const found = {
        answers: Math.sqrt(theta / N),
        readers: Math.sqrt(msa / N),
        texts: Math.sqrt(msb / N),
        all: Math.sqrt(square),
        floor: Math.sqrt(psi_b / b),
        two_way: Math.sqrt(square - (psi_a * (a - 1) / a + psi_b * (b - 1) / b) / (a * b - 1)),
        ...errors({
          both: [[0], [0], [1], [2]],
          reader: [[0], [0], [1, 2], [1, 2]],
          text: [[1], [0, 2], [1], [0, 2]],
          lm: Array(4).fill([0, 1, 2]),
        }, ["mean", "reader", "text", "answer"], [msa, msb, theta], [a - 2, b - 2, N - a - b], N),
        msa, msb, msab: theta,
        icc_reader: psi_a / whole,
        icc_text: psi_b / whole,
        effect: square * N / whole,
      };
      return { ...found, both_mean: found.all };
    },
    places: { psi_a: variances, psi_b: variances, theta: places.theta, a: from(3, 200), b: from(3, 200), n: from(1, 50) },
    least: { a: 3, b: 3, n: 1 },
    verdict: (found) => `Of the right standard error of the mean, a model with readers alone reports `
      + `${share(found.reader_mean / found.both_mean)}, one with texts alone ${share(found.text_mean / found.both_mean)}, `
      + `errors clustered two ways ${share(found.two_way / found.both_mean)}.`,
  };

  const KINDS = { one, nested, crossed };

  // A setting from text, or null where the text is none.
  const read = (kind, name, text) => {
    const word = text.trim().toLowerCase();
    if (name === "K" && ["∞", "inf", "infinity"].includes(word)) return Infinity;
    const x = word === "" ? NaN : Number(word);
    const least = kind.least[name] ?? (name === "theta" ? 1e-9 : 0);
    return Number.isFinite(x) && x >= least && x <= 1e9 && (!(name in kind.least) || Number.isInteger(x)) ? x : null;
  };

  customElements.define("se-explorer", class extends HTMLElement {
    connectedCallback() { this.begin(); }

    begin() {  // where the page is still being read, the script behind the element calls again
      if (this.start || !this.querySelector("table:last-of-type")) return;
      this.kind = KINDS[this.dataset.kind];
      this.start = {};
      for (const box of this.querySelectorAll("input[type=text]")) this.start[box.name] = Number(box.dataset.value);
      this.at = { ...this.start };
      const { places } = this.kind;
      for (const name of Object.keys(places)) this.slider(name).max = places[name].length - 1;
      this.querySelectorAll("[disabled]").forEach((part) => { part.disabled = false; });
      this.addEventListener("input", ({ target }) => {
        if (target.type === "range") this.set({ [target.name]: places[target.name][target.value] });
      });
      this.addEventListener("change", ({ target }) => { if (target.type === "text") this.typed(target); });
      this.querySelector("button").addEventListener("click", () => this.set(this.start));
      this.follow = () => this.set(this.settings(location.hash));
      window.addEventListener("hashchange", this.follow);
      this.follow();
    }

    disconnectedCallback() { window.removeEventListener("hashchange", this.follow); }

    slider(name) { return this.querySelector(`input[type=range][name=${name}]`); }

    settings(hash) {
      const found = {}, told = new URLSearchParams(hash.slice(1));
      if ((told.get("of") ?? "one") !== this.dataset.kind) return found;  // another explorer's
      for (const [name, text] of told) {
        const value = Object.hasOwn(this.kind.places, name) ? read(this.kind, name, text) : null;
        if (value !== null) found[name] = value;
      }
      return found;
    }

    typed(box) {
      const value = read(this.kind, box.name, box.value);
      this.set(value === null ? {} : { [box.name]: value });
      if (value !== this.at[box.name]) this.say(`${box.name} takes ${box.title}: it is ${box.value} now.`);
    }

    set(changed) {
      this.at = { ...this.at, ...changed };
      this.at = this.kind.settle?.(this.at) ?? this.at;
      for (const [name, value] of Object.entries(this.at)) this.move(name, value);
      const found = this.kind.work(this.at);
      for (const cell of this.querySelectorAll("data")) {
        cell.value = String(found[cell.dataset.of]);
        cell.textContent = three(found[cell.dataset.of]);
      }
      this.draw(found);
      this.say(this.kind.verdict(found, this.at));
      const settings = Object.entries(this.at).map(([name, x]) => [name, x === Infinity ? "inf" : x]);
      const of = this.dataset.kind === "one" ? [] : [["of", this.dataset.kind]];
      this.querySelector("a").href = "#" + new URLSearchParams([...of, ...settings]);
    }

    move(name, value) {
      const slider = this.slider(name);
      slider.value = nearest(this.kind.places[name], value);
      slider.setAttribute("aria-valuetext", value === Infinity ? "infinitely many" : short(value));
      this.querySelector(`input[type=text][name=${name}]`).value = short(value);
    }

    say(text) { this.querySelector("[role=status]").textContent = text; }

    draw(found) {
      const bars = [...this.querySelectorAll("rect")];
      const most = Math.max(...bars.map((bar) => found[bar.dataset.of] || 0));
      for (const bar of bars) {
        const value = found[bar.dataset.of], width = most && 260 * (value || 0) / most;
        bar.setAttribute("width", width);
        const label = this.querySelector(`text[data-of=${bar.dataset.of}]`);
        label.setAttribute("x", width + 6);
        label.textContent = three(value);
      }
      const dot = this.querySelector("circle"), scale = (x) => 200 * Math.min(Math.log(x) / Math.log(200), 1);
      dot?.setAttribute("cx", scale(this.at.J));
      dot?.setAttribute("cy", 200 - scale(found.F));
    }
  });
  all();
})();
