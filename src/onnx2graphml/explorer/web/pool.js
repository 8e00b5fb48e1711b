// The arrays of a page: bytes that are decoded when they are asked for, as explorer/pool.py stored them.

// The value of each of the 65,536 numbers of float16 (IEEE 754), made when the first one is read.
let halves = null;

function halfTable() {
  const table = new Float32Array(65536);
  for (let h = 0; h < 65536; h++) {
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    const size =
      exponent === 31
        ? fraction
          ? NaN
          : Infinity
        : exponent === 0
          ? fraction * 2 ** -24
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[h] = h & 0x8000 ? -size : size;
  }
  return table;
}

export function decoded(kind, bytes) {
  const buffer = bytes.byteOffset % 8 ? bytes.slice().buffer : bytes.buffer;
  const offset = bytes.byteOffset % 8 ? 0 : bytes.byteOffset;
  if (kind === "f4") return new Float32Array(buffer, offset, bytes.byteLength / 4);
  if (kind === "f8") return new Float64Array(buffer, offset, bytes.byteLength / 8);
  if (kind === "u1") return bytes;
  if (kind === "i4") return new Int32Array(buffer, offset, bytes.byteLength / 4);
  halves ??= halfTable();
  const numbers = new Uint16Array(buffer, offset, bytes.byteLength / 2);
  const values = new Float32Array(numbers.length);
  for (let i = 0; i < values.length; i++) values[i] = halves[numbers[i]]; // `from` takes thirty times as long
  return values;
}

export function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

export class Pool {
  // kinds: of each array; bytesOf: a function from its number to its bytes.
  constructor(kinds, bytesOf) {
    this.kinds = kinds;
    this.bytesOf = bytesOf;
    this.known = new Map();
  }

  get(number) {
    if (!this.known.has(number)) this.known.set(number, decoded(this.kinds[number], this.bytesOf(number)));
    return this.known.get(number);
  }

  // Integers: [first, step, length], or the number of an array.
  ints(given) {
    if (!Array.isArray(given)) return this.get(given);
    const [first, step, length] = given;
    return Float64Array.from({ length }, (_, i) => first + step * i);
  }
}
