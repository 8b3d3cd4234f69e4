// Tails and quantiles of t, F, chi-square and the normal, to fourteen digits or so, and the two searches that the fit needs.
// Prefactors by Loader (2000), "Fast and accurate computation of binomial probabilities", so that many degrees of freedom cost
// no digits; continued fractions by Lentz's rule. A test holds them against scipy and mpmath.
globalThis.calculator = {};
(() => {
  const TINY = 1e-300, MOST = 20000;

  // log Gamma(z + 1) less Stirling's formula.
  const stirling = (z) => {
    let sum = 0;
    for (; z < 16; z += 1) sum += (z + 0.5) * Math.log1p(1 / z) - 1;
    const q = 1 / (z * z);
    return sum + (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q * (1 / 1680 - q * (1 / 1188 - q * 691 / 360360))))) / z;
  };

  // x log(x / m) + m - x, without cancelling where x is near m.
  const deviance = (x, m) => {
    if (Math.abs(x - m) >= 0.1 * (x + m)) return x * Math.log(x / m) + m - x;
    const v = (x - m) / (x + m);
    let sum = (x - m) * v, power = 2 * x * v;
    for (let k = 3; ; k += 2) {
      power *= v * v;
      const more = sum + power / k;
      if (more === sum) return sum;
      sum = more;
    }
  };

  // The continued fraction 1 / (first + a_1 / (b_1 + a_2 / (b_2 + ...))).
  const fraction = (first, term) => {
    let c = 1 / TINY, d = 1 / first, sum = d;
    for (let k = 1; k < MOST; k++) {
      const [a, b] = term(k);
      d = b + a * d;
      c = b + a / c;
      d = 1 / (Math.abs(d) < TINY ? TINY : d);
      if (Math.abs(c) < TINY) c = TINY;
      sum *= c * d;
      if (Math.abs(c * d - 1) < 1e-16) break;
    }
    return sum;
  };

  // The incomplete beta function and its complement, of x and y = 1 - x: both tails, each with its own digits.
  const beta = (x, y, a, b) => {
    if (!(x > 0)) return [0, 1];
    if (!(y > 0)) return [1, 0];
    if (x > (a + 1) / (a + b + 2)) return beta(y, x, b, a).reverse();
    const n = a + b;
    const front = Math.exp(stirling(n) - stirling(a) - stirling(b) - deviance(a, n * x) - deviance(b, n * y))
      * Math.sqrt(a * b / (2 * Math.PI * n));
    const lower = front / a * fraction(1, (step) => {
      const k = Math.floor(step / 2), at = a + 2 * k;
      return [step % 2 ? -(a + k) * (n + k) * x / (at * (at + 1)) : k * (b - k) * x / ((at - 1) * at), 1];
    });
    return [lower, 1 - lower];
  };

  // The incomplete gamma function and its complement.
  const gamma = (a, x) => {
    if (!(x > 0)) return [0, 1];
    const front = Math.exp(-stirling(a) - deviance(a, x)) / Math.sqrt(2 * Math.PI * a);
    if (x < a + 1) {
      let term = 1, sum = 1;
      for (let k = 1; term > 1e-17 * sum; k++) sum += term *= x / (a + k);
      return [front * sum, 1 - front * sum];
    }
    const upper = front * a * fraction(x + 1 - a, (k) => [-k * (k - a), x + 2 * k + 1 - a]);
    return [1 - upper, upper];
  };

  // Where a continuous function changes its sign between two points: Brent (1973), to the last digit.
  const root = (f, a, b) => {
    let fa = f(a), fb = f(b);
    if (fa === 0) return a;
    let c = a, fc = fa, d = b - a, e = d;
    for (let k = 0; k < 300 && fb !== 0; k++) {
      if (fb > 0 === fc > 0) [c, fc, d, e] = [a, fa, b - a, b - a];
      if (Math.abs(fc) < Math.abs(fb)) [a, b, c, fa, fb, fc] = [b, c, b, fb, fc, fb];
      const near = 4.4e-16 * Math.abs(b) + TINY, half = (c - b) / 2;
      if (Math.abs(half) <= near) break;
      if (Math.abs(e) >= near && Math.abs(fa) > Math.abs(fb)) {
        const s = fb / fa, q = fa / fc, r = fb / fc;
        let p = a === c ? 2 * half * s : s * (2 * half * q * (q - r) - (b - a) * (r - 1));
        let t = a === c ? 1 - s : (q - 1) * (r - 1) * (s - 1);
        if (p > 0) t = -t; else p = -p;
        if (2 * p < Math.min(3 * half * t - Math.abs(near * t), Math.abs(e * t))) [e, d] = [d, p / t];
        else d = e = half;
      } else d = e = half;
      [a, fa] = [b, fb];
      b += Math.abs(d) > near ? d : Math.sign(half) * near;
      fb = f(b);
    }
    return b;
  };

  // The least value of a function between two points: golden sections, which end where rounding begins.
  const least = (f, a, b) => {
    const share = (Math.sqrt(5) - 1) / 2;
    let x = b - share * (b - a), y = a + share * (b - a), fx = f(x), fy = f(y);
    for (let k = 0; k < 60; k++) {
      if (fx < fy) [b, y, fy, x] = [y, x, fx, y - share * (y - a)], fx = f(x);
      else [a, x, fx, y] = [x, y, fy, x + share * (b - x)], fy = f(y);
    }
    return Math.min(fx, fy);
  };

  // Where a function that rises from below 0 to above it, from 0 to infinity, is 0.
  const from = (f, low = 1) => {
    let high = low;
    while (f(low) > 0 && low > TINY) low /= 4;
    while (f(high) < 0 && high < 1e300) high *= 4;
    return root(f, low, high);
  };

  const t = {
    sf: (x, df) => {
      const [lower, upper] = beta(df / (df + x * x), x * x / (df + x * x), df / 2, 0.5);
      return x >= 0 ? lower / 2 : (1 + upper) / 2;
    },
    isf: (p, df) => from((x) => p - t.sf(x, df)),  // p below 1/2
  };
  const f = {
    tails: (x, m, n) => beta(m * x / (m * x + n), n / (m * x + n), m / 2, n / 2),
    cdf: (x, m, n) => f.tails(Math.max(x, 0), m, n)[0],
    ppf: (p, m, n) => from((x) => p < 0.5 ? f.tails(x, m, n)[0] - p : (1 - p) - f.tails(x, m, n)[1]),
  };
  const chi2 = {
    sf: (x, df) => gamma(df / 2, x / 2)[1],
    ppf: (p, df) => from((x) => p < 0.5 ? gamma(df / 2, x / 2)[0] - p : (1 - p) - gamma(df / 2, x / 2)[1]),
  };
  const normal = {
    sf: (x) => x >= 0 ? gamma(0.5, x * x / 2)[1] / 2 : 1 - normal.sf(-x),
    isf: (p) => from((x) => p - normal.sf(x)),
  };

  Object.assign(calculator, { t, f, chi2, normal, root, least });
})();
