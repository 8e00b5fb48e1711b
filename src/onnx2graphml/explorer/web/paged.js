// A long list, piece by piece.

import { h } from "./dom.js";
import { counted } from "./numbers.js";

// `add(from, to)` shows some of `total` things. The element that is returned has a button for the next ones; its `shown`
// is what the first call of `add` gave back.
export function paged(total, first, step, add, { label = "Show more", note = "" } = {}) {
  const more = h("p", { class: "more" });
  let count = 0;
  const next = (n) => {
    const from = count;
    count = Math.min(total, count + n);
    const added = add(from, count);
    const left = [
      h("button", { onclick: () => next(step) }, label),
      h("span", { class: "faint" }, `${counted(count)} of ${counted(total)}${note}`),
    ];
    more.replaceChildren(...(count < total ? left : []));
    return added;
  };
  more.shown = next(first);
  return more;
}
