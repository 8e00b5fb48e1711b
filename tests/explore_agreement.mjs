// What the page's own modules say of a graph: node explore_agreement.mjs MODULES CASE prints a JSON line for each neuron. A case is a line, too.
import { readFileSync } from "node:fs";

const [modules, file] = process.argv.slice(2);
const { PageSource } = await import(`${modules}/source.js`);
const finite = (key, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);

for (const line of readFileSync(file, "utf8").trim().split("\n")) {
  const { meta, arrays, neurons } = JSON.parse(line);
  const source = new PageSource(meta, (number) => new Uint8Array(Buffer.from(arrays[number], "base64")));
  for (const neuron of neurons) {
    const field = {};
    for (const [layer, mask] of source.network.receptiveField(neuron))
      field[layer] = Buffer.from(mask).toString("base64");
    const [into, out] = [source.network.inEdges(0, neuron), source.network.outEdges(0, neuron)];
    console.log(
      JSON.stringify(
        { into, out, field, bias: source.network.bias(0, neuron), index: source.layers.index(neuron) },
        finite,
      ),
    );
  }
}
