// The live explorer: an element that works its tables and drawings out again when a setting changes. Nothing else is loaded.
(() => {
  if (customElements.get("se-explorer")) return;

  const SE = {
    group: ({ theta, n }) => Math.sqrt(theta / n),
    these: ({ theta, n, J }) => Math.sqrt(theta / (J * n)),
    finite: ({ psi, theta, n, J, K }) => Math.sqrt((1 - J / K) * psi / J + theta / (J * n)),
    all: ({ psi, theta, n, J }) => Math.sqrt((psi + theta / n) / J),
    new: (at) => Math.sqrt(at.psi + SE.all(at) ** 2),
    rows: ({ psi, theta, n, J }) => Math.sqrt((psi + theta) / (J * n)),
  };
  // A predictor with variance 1 in each class; with one pupil a class no predictor varies there.
  const SLOPES = {
    slope: ({ psi_x, theta, n, J }) => n > 1 ? Math.sqrt((psi_x + theta / n) / J) : NaN,
    reported: ({ psi_x, theta, n, J }) => n > 1 ? Math.sqrt((theta / n + psi_x * (J - 1) / (J * n - J - 1)) / J) : NaN,
  };
  const FORMULAS = {
    ...SE,
    ...SLOPES,
    floor: ({ psi_x, J }) => Math.sqrt(psi_x / J),
    icc: ({ psi, theta }) => psi / (psi + theta),
    effect: (at) => 1 + (at.n - 1) * FORMULAS.icc(at),
    effective: (at) => at.J * at.n / FORMULAS.effect(at),
    F: ({ psi, theta, n }) => 1 + n * psi / theta,
  };

  // What the places of each slider stand for. A setting that is typed in, or comes by the address, may lie between them.
  const from = (low, high, step = 1) => Array.from({ length: (high - low) / step + 1 }, (_, k) => low + k * step);
  const PLACES = {
    psi: from(0, 2000, 10),
    theta: from(10, 4000, 10),
    n: from(1, 100),
    J: from(2, 100),
    K: [...from(2, 60), ...from(70, 200, 10), 300, 500, 1000, 2000, 5000, 10000, Infinity],
    psi_x: from(0, 500, 5),
  };
  const LEAST = { psi: 0, theta: 1e-9, n: 1, J: 2, K: 2, psi_x: 0 };

  const three = (x) => Number.isNaN(x) ? "\u2013" : (x >= 1000 ? x.toFixed(1) : x.toFixed(3));
  const short = (x) => (x === Infinity ? "∞" : String(Number(x.toPrecision(6))));
  const nearest = (places, x) => {
    let best = 0;
    places.forEach((place, k) => { if (Math.abs(place - x) < Math.abs(places[best] - x)) best = k; });
    return x === Infinity ? places.length - 1 : best;
  };

  // A setting from text, or null where the text is none.
  const read = (name, text) => {
    const word = text.trim().toLowerCase();
    if (name === "K" && ["∞", "inf", "infinity"].includes(word)) return Infinity;
    const x = word === "" ? NaN : Number(word);
    const fits = Number.isFinite(x) && x >= LEAST[name] && x <= 1e9 && ("nJK".includes(name) ? Number.isInteger(x) : true);
    return fits ? x : null;
  };

  customElements.define("se-explorer", class extends HTMLElement {
    static formulas = FORMULAS;

    connectedCallback() {
      this.start = {};
      for (const box of this.querySelectorAll("input[type=text]")) this.start[box.name] = Number(box.dataset.value);
      this.at = { ...this.start };
      for (const [name, places] of Object.entries(PLACES)) this.slider(name).max = places.length - 1;
      this.querySelectorAll("[disabled]").forEach((part) => { part.disabled = false; });
      this.addEventListener("input", ({ target }) => {
        if (target.type === "range") this.set({ [target.name]: PLACES[target.name][target.value] });
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
      const found = {};
      for (const [name, text] of new URLSearchParams(hash.slice(1))) {
        if (Object.hasOwn(PLACES, name) && read(name, text) !== null) found[name] = read(name, text);
      }
      return found;
    }

    typed(box) {
      const value = read(box.name, box.value);
      this.set(value === null ? {} : { [box.name]: value });
      if (value !== this.at[box.name]) this.say(`${box.name} takes ${box.title}: it is ${box.value} now.`);
    }

    set(changed) {
      this.at = { ...this.at, ...changed };
      this.at.K = Math.max(this.at.K, this.at.J);  // the study's classes are among the population's
      for (const name of Object.keys(PLACES)) this.move(name, this.at[name]);
      const found = Object.fromEntries(Object.entries(FORMULAS).map(([name, formula]) => [name, formula(this.at)]));
      for (const cell of this.querySelectorAll("data")) {
        cell.value = String(found[cell.dataset.of]);
        cell.textContent = three(found[cell.dataset.of]);
      }
      this.draw(found);
      this.say(this.verdict(found));
      this.querySelector("a").href = "#" + new URLSearchParams(
        Object.entries(this.at).map(([name, x]) => [name, x === Infinity ? "inf" : x]));
    }

    move(name, value) {
      const slider = this.slider(name);
      slider.value = nearest(PLACES[name], value);
      slider.setAttribute("aria-valuetext", value === Infinity ? "infinitely many" : short(value));
      this.querySelector(`input[type=text][name=${name}]`).value = short(value);
    }

    verdict({ F, all, group }) {
      const { J } = this.at;
      const [side, than] = F < J ? ["below", "smaller than"] : F > J ? ["above", "larger than"] : ["equal to", "equal to"];
      return `F = ${three(F)} is ${side} J = ${J}, so the SE of the mean of all classes, ${three(all)}, is ${than} `
        + `that of one class mean, ${three(group)}.`;
    }

    say(text) { this.querySelector("[role=status]").textContent = text; }

    draw(found) {
      const drawn = [...Object.keys(SE), ...Object.keys(SLOPES)];
      const most = Math.max(...drawn.map((name) => found[name] || 0));
      for (const name of drawn) {
        const width = 260 * (found[name] || 0) / most;
        this.querySelector(`rect[data-of=${name}]`).setAttribute("width", width);
        const label = this.querySelector(`text[data-of=${name}]`);
        label.setAttribute("x", width + 6);
        label.textContent = three(found[name]);
      }
      const scale = (x) => 200 * Math.min(Math.log(x) / Math.log(200), 1);
      this.querySelector("circle").setAttribute("cx", scale(this.at.J));
      this.querySelector("circle").setAttribute("cy", 200 - scale(found.F));
    }
  });
})();
