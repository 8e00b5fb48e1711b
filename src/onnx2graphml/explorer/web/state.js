// Where the reader is, as text: in the address of a page, or in a widget's model.

export const START = {
  layer: null, // its number
  neuron: null, // an id
  runs: [0], // that are shown; the first one is the one that edges are valued with
  tab: "maps",
  order: "index",
  differences: false,
  walk: [], // ids that led here
  trace: null, // what is kept of it: `0.95` is a share, `3` the strongest edges of each neuron
  fold: null,
};

const isWhole = (n) => Number.isInteger(n) && n >= 0;

export function written(state) {
  const q = new URLSearchParams();
  if (state.neuron !== null) q.set("neuron", state.neuron);
  if (state.layer !== null) q.set("layer", state.layer);
  if (state.runs.join() !== "0") q.set("runs", state.runs.join("."));
  for (const key of ["tab", "order"]) if (state[key] !== START[key]) q.set(key, state[key]);
  if (state.differences) q.set("differences", "1");
  if (state.walk.length) q.set("walk", state.walk.join("."));
  if (state.trace) q.set("trace", state.trace);
  if (state.fold !== null) q.set("fold", state.fold ? "1" : "0");
  return q.toString();
}

// The state that a text stands for; what does not fit the network is left out.
export function read(text, layers, runs) {
  const q = new URLSearchParams(text);
  const whole = (key, end) => {
    const n = q.has(key) ? Number(q.get(key)) : NaN;
    return isWhole(n) && n < end ? n : null;
  };
  const list = (key, end) =>
    (q.get(key) ?? "")
      .split(".")
      .filter(Boolean)
      .map(Number)
      .filter((n) => isWhole(n) && n < end);
  const oneOf = (key, words) => (words.includes(q.get(key)) ? q.get(key) : START[key]);
  const chosen = [...new Set(list("runs", runs))];
  return {
    neuron: whole("neuron", layers.neurons),
    layer: whole("layer", layers.layers.length),
    runs: chosen.length ? chosen : [0],
    tab: oneOf("tab", ["maps", "weights", "statistics"]),
    order: oneOf("order", ["index", "energy", "norm"]),
    differences: q.get("differences") === "1",
    walk: list("walk", layers.neurons),
    trace: oneOf("trace", ["0.5", "0.8", "0.95", "3", "10"]),
    fold: q.has("fold") ? q.get("fold") === "1" : null,
  };
}

// In the page's address: each step can be gone back, and a link leads to it.
export class AddressStore {
  constructor() {
    this.listeners = [];
    window.addEventListener("hashchange", () => this.listeners.forEach((listener) => listener()));
  }

  get() {
    return window.location.hash.slice(1);
  }

  set(text) {
    if (text !== this.get()) window.history.pushState(null, "", `#${text}`);
  }

  listen(listener) {
    this.listeners.push(listener);
    window.addEventListener("popstate", listener);
  }
}

// In a widget's model, which Python sees, too.
export class ModelStore {
  constructor(model) {
    this.model = model;
  }

  get() {
    return this.model.get("state");
  }

  set(text) {
    this.model.set("state", text);
    this.model.save_changes();
  }

  listen(listener) {
    this.model.on("change:state", listener);
  }
}
