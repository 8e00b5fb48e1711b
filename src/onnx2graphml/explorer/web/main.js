// Where it starts: in a page that holds everything, in a page from a server, in a notebook's cell.

import { App } from "./app.js";
import { fromBase64 } from "./pool.js";
import { PageSource, ServerSource, unpacked } from "./source.js";
import { AddressStore, ModelStore } from "./state.js";

// A page: its description is JSON in an element, and each of its arrays Base64 in one of its own.
export function startPage(root) {
  const meta = JSON.parse(document.getElementById("meta").textContent);
  const bytesOf = (number) => {
    const element = document.getElementById(`array-${number}`);
    const bytes = fromBase64(element.textContent);
    element.remove(); // decoded once, and kept by the pool
    return bytes;
  };
  const source = meta.server ? new ServerSource(meta, window.location.pathname) : new PageSource(meta, bytesOf);
  const app = new App(root, source, new AddressStore());
  window.explore = app;
  return app;
}

// A notebook's widget: `data` is one message with all arrays. Jupyter hands it over as a DataView, others as an array.
export function render({ model, el }) {
  const data = model.get("data");
  const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data;
  const { arrays, ...meta } = unpacked(new Uint8Array(bytes).buffer);
  const source = new PageSource({ ...meta, arrays: [] }, () => null);
  arrays.forEach((array, number) => source.pool.known.set(number, array));
  const root = document.createElement("div");
  root.classList.add("in-cell");
  root.style.height = `${model.get("height")}px`;
  el.append(root);
  const app = new App(root, source, new ModelStore(model));
  return () => app.turn++;
}
