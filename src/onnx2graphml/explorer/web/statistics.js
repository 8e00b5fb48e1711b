// Numbers about a layer's values, one column for each input, and how they are distributed.

import { h, s } from "./dom.js";
import { counted, number, shown } from "./numbers.js";

const BINS = 40;

export function summary(values) {
  const found = {
    count: values.length,
    least: Infinity,
    most: -Infinity,
    sum: 0,
    squares: 0,
    zeros: 0,
    negative: 0,
    odd: 0,
  };
  for (const value of values) {
    if (!Number.isFinite(value)) {
      found.odd += 1;
      continue;
    }
    found.least = Math.min(found.least, value);
    found.most = Math.max(found.most, value);
    found.sum += value;
    if (value === 0) found.zeros += 1;
    if (value < 0) found.negative += 1;
  }
  const n = found.count - found.odd;
  found.mean = n ? found.sum / n : NaN;
  for (const value of values) if (Number.isFinite(value)) found.squares += (value - found.mean) ** 2;
  found.deviation = n ? Math.sqrt(found.squares / n) : NaN;
  return found;
}

export async function statistics(app) {
  const { layer, source, state } = app;
  const all = await Promise.all(state.runs.map((run) => source.values(run, layer.number)));
  if (!layer.size) return h("p", { class: "empty" }, "This layer has no neurons.");
  const found = all.map(summary);
  const share = (n, of) => `${counted(n)} (${((100 * n) / of).toFixed(1)} %)`;
  const rows = [
    ["neurons", (x) => counted(x.count)],
    ["mean", (x) => number(x.mean, 6)],
    ["standard deviation", (x) => number(x.deviation, 6)],
    ["least", (x) => number(x.least, 6)],
    ["greatest", (x) => number(x.most, 6)],
    ["zero", (x) => share(x.zeros, x.count)],
    ["negative", (x) => share(x.negative, x.count)],
    ["NaN or infinite", (x) => counted(x.odd)],
  ];
  const low = Math.min(...found.map((x) => x.least));
  const high = Math.max(...found.map((x) => x.most));
  return h(
    "div",
    { class: "figures stacked" },
    h(
      "table",
      { class: "numbers" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", {}),
          state.runs.map((run) => h("th", { scope: "col" }, shown(source.runs[run].name, 40))),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map(([name, cell]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            found.map((x) => h("td", {}, cell(x))),
          ),
        ),
      ),
    ),
    all.map((values, k) =>
      h(
        "figure",
        {},
        h("figcaption", {}, h("span", {}, shown(source.runs[state.runs[k]].name))),
        histogram(values, low, high),
      ),
    ),
  );
}

function histogram(values, low, high) {
  const bins = new Array(BINS).fill(0);
  const width = high - low || 1;
  for (const value of values) {
    if (Number.isFinite(value)) bins[Math.min(BINS - 1, Math.floor(((value - low) / width) * BINS))] += 1;
  }
  const most = Math.max(...bins);
  const [across, high2] = [12, 130];
  const bars = bins.map((n, k) =>
    s("rect", {
      class: "bar-of",
      x: k * across,
      width: across - 1.5,
      y: high2 - (n / most) * (high2 - 14),
      height: (n / most) * (high2 - 14),
    }),
  );
  const text = (x, anchor, label) => s("text", { x, y: high2 + 15, "text-anchor": anchor }, label);
  const whole = BINS * across;
  return s(
    "svg",
    {
      class: "histogram",
      viewBox: `0 0 ${whole} ${high2 + 20}`,
      width: whole,
      role: "img",
      "aria-label": `distribution from ${number(low)} to ${number(high)}`,
    },
    bars,
    s("line", { x1: 0, x2: whole, y1: high2 + 0.5, y2: high2 + 0.5 }),
    text(0, "start", number(low, 4)),
    text(whole, "end", number(high, 4)),
    s("text", { x: 0, y: 10 }, `most in a bin: ${counted(most)}`),
  );
}
