// The colours of a scale with the numbers at its ends.

import { cssColour } from "./colours.js";
import { h } from "./dom.js";
import { number } from "./numbers.js";

export function scaleBar(scale) {
  const stops = Array.from({ length: 9 }, (_, k) => cssColour(scale.low + ((scale.high - scale.low) * k) / 8, scale));
  return h(
    "div",
    { class: "scale", role: "img", "aria-label": `colours from ${number(scale.low)} to ${number(scale.high)}` },
    h("span", {}, number(scale.low, 4)),
    h("i", { style: { background: `linear-gradient(90deg, ${stops.join(", ")})` } }),
    h("span", {}, number(scale.high, 4)),
  );
}
