// The picture of the groups, as the report draws it: means in order, each with its interval and its partially pooled mean,
// beside them how many rows there are. SVG; its colours are the page's (calculator.css).
(() => {
  const { words } = calculator,
    { general, extent, name, LEVEL } = words;
  const NAMED = 40,
    MOST = 600; // groups, up to which each has its name, and beyond which not all are drawn
  const ns = "http://www.w3.org/2000/svg";
  const make = (tag, attributes, ...children) => {
    const node = document.createElementNS(ns, tag);
    for (const [key, value] of Object.entries(attributes))
      node.setAttribute(key, typeof value === "number" ? Number(value.toFixed(2)) : value);
    node.append(...children);
    return node;
  };

  // Round places between two numbers: 1, 2 or 5 times a power of ten apart, and how many decimals they need.
  const ticks = (low, high, most) => {
    const rough = (high - low) / most,
      power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((times) => times * power >= rough),
      places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const found = [];
    for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) found.push(k * step);
    return found.map((value) => [
      value,
      places <= 8 && Math.abs(value) < 1e15
        ? words.fixed(value + 0, places).replace(/^-(0(\.0*)?)$/, "$1")
        : general(value, 4),
    ]);
  };

  const described = (found, read) => {
    const { means, labels, pooled, sizes, J } = found,
      [least, most] = extent(sizes),
      [down, up] = extent(means);
    const at = (value) => `${general(value, 4)} (${name(labels[means.indexOf(value)], 40)})`;
    return (
      `The means of ${name(read.outcome, 40)} in ${J} groups, from the lowest to the highest, each with its ${LEVEL} interval, and beside them the ` +
      `number of rows. The lowest mean is ${at(down)}, the highest ${at(up)}; partial pooling has them from ` +
      `${extent(pooled)
        .map((value) => general(value, 4))
        .join(" to ")}. The groups have ${least} to ${most} rows.` +
      (J > MOST ? ` ${MOST} groups are drawn, evenly spread over that order.` : "")
    );
  };

  const picture = (found, read, width) => {
    const { means, pooled, sizes, labels, J, thetaWithin, tOfGroup } = found,
      small = width < 500,
      named = J <= NAMED;
    const order = Array.from({ length: J }, (_, j) => j).sort((a, b) => means[a] - means[b] || a - b);
    const places =
      J <= MOST ? order.map((_, k) => k) : Array.from({ length: MOST }, (_, k) => Math.round((k * (J - 1)) / (MOST - 1)));
    const half = order.map((j) => tOfGroup * Math.sqrt(thetaWithin / sizes[j]));
    const [low] = extent(order.map((j, k) => means[j] - half[k])),
      [, high] = extent(order.map((j, k) => means[j] + half[k]));
    const head = small ? 70 : 30,
      foot = 44,
      tall = named ? J * 18 : 420,
      height = head + tall + foot;
    const letters = small ? 9 : 18,
      left = named ? 14 + 7 * Math.min(letters, Math.max(...labels.map((label) => name(label, letters).length))) : 44;
    const right = width - (small ? 78 : 150),
      end = width - (named ? 34 : 12);
    const x = (value) => left + (right - left) * (0.02 + (0.96 * (value - low)) / (high - low));
    const y = (k) => head + tall * (1 - (k + 0.5) / J);
    const most = extent(sizes)[1],
      rowsAt = right + 18,
      long = (n) => ((end - rowsAt) * n) / most;
    const svg = make("svg", {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": described(found, read),
    });

    const scale = make("g", { class: "scale" });
    let marks = ticks(low, high, 8); // as many as have room for their numbers
    for (
      let wanted = 7;
      wanted > 1 && marks.reduce((all, [, text]) => all + 8 * text.length + 14, 0) > right - left;
      wanted--
    )
      marks = ticks(low, high, wanted);
    for (const [value, text] of marks) {
      scale.append(
        make("line", { x1: x(value), x2: x(value), y1: head + tall, y2: head + tall + 5 }),
        make("text", { x: x(value), y: head + tall + 19, "text-anchor": "middle" }, text),
      );
    }
    scale.append(
      make("line", { x1: left, x2: right, y1: head + tall, y2: head + tall }),
      make("line", { x1: rowsAt, x2: rowsAt, y1: head, y2: head + tall }),
      make(
        "text",
        { x: (left + right) / 2, y: height - 6, "text-anchor": "middle" },
        `mean of ${name(read.outcome, small ? 20 : 40)}`,
      ),
      named
        ? make("text", { x: rowsAt, y: height - 6 }, "rows")
        : make("text", { x: width - 2, y: height - 6, "text-anchor": "end" }, `rows, to ${most}`),
    );
    if (!named) {
      const part = J <= MOST ? "" : `, ${MOST} of them drawn`;
      scale.append(
        make(
          "text",
          { transform: `translate(16 ${head + tall / 2}) rotate(-90)`, "text-anchor": "middle" },
          `${J} groups${part}, in order of their means`,
        ),
      );
    }
    const intervals = make("g", { class: "interval" }),
      bars = make("g", { class: "rows" }),
      shrunk = make("g", { class: "pooled" }),
      own = make("g", { class: "own" });
    const diamond = (cx, cy, r) =>
      make("path", { d: `M${cx.toFixed(2)} ${(cy - r).toFixed(2)}l${r} ${r}l${-r} ${r}l${-r} ${-r}z` });
    const thick = named ? 2.4 : Math.max(0.4, Math.min(2.4, 320 / J)),
      mark = named ? 4.5 : 2.2,
      bar = named ? 6 : 2.6;
    for (const k of places) {
      const j = order[k],
        at = y(k);
      intervals.append(
        make("line", { x1: x(means[j] - half[k]), x2: x(means[j] + half[k]), y1: at, y2: at, "stroke-width": thick }),
      );
      shrunk.append(
        make("line", { x1: x(means[j]), x2: x(pooled[j]), y1: at, y2: at, "stroke-width": Math.max(1, thick) }),
        make("line", { x1: x(pooled[j]), x2: x(pooled[j]), y1: at - bar, y2: at + bar, "stroke-width": named ? 3 : 1.4 }),
      );
      own.append(diamond(x(means[j]), at, mark));
      bars.append(
        make("line", {
          x1: rowsAt,
          x2: rowsAt + Math.max(long(sizes[j]), 1),
          y1: at,
          y2: at,
          "stroke-width": named ? 6 : Math.max(0.6, thick),
        }),
      );
      if (named) {
        scale.append(
          make("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, name(labels[j], letters)),
          make("text", { x: rowsAt + long(sizes[j]) + 5, y: at + 4 }, String(sizes[j])),
        );
      }
    }
    const legend = [
      ["own", "mean of the group's rows"],
      ["pooled", "partially pooled"],
      ["interval", `${LEVEL} interval without pooling`],
    ];
    const key = make("g", {});
    legend.forEach(([kind, text], k) => {
      const [at, cy] = small ? [10, 12 + 19 * k] : [10 + [0, 195, 335][k], 12];
      key.append(
        make(
          "g",
          { class: kind },
          kind === "own"
            ? diamond(at, cy, 4.5)
            : kind === "pooled"
              ? make("line", { x1: at, x2: at, y1: cy - 6, y2: cy + 6, "stroke-width": 3 })
              : make("line", { x1: at - 9, x2: at + 9, y1: cy, y2: cy, "stroke-width": 2.4 }),
        ),
        make("text", { x: at + 14, y: cy + 4 }, text),
      );
    });
    svg.append(scale, intervals, shrunk, own, bars, key);
    return svg;
  };

  Object.assign(calculator, { picture, described });
})();
