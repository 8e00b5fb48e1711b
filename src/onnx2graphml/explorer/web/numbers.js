// Numbers and names as text.

export const counted = (n) => n.toLocaleString("en");

// Six digits at most, as Python's `:.6g`, with a real minus sign.
export function number(value, digits = 5) {
  if (value === null || value === undefined) return "";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4 ? value.toExponential(digits - 2) : String(Number(value.toPrecision(digits)));
  return text
    .replace(/\.?0+(?=e)/, "")
    .replace("-", "−")
    .replace("e−", "e-")
    .replace("e+", "e");
}

// A name from the model as it can be shown: no control characters, and not without end.
export function shown(name, longest = 80) {
  const plain = name.slice(0, longest).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
  return name.length > longest ? `${plain}…` : plain;
}

export const shapeText = (shape) => shape.join(" × ") || "scalar";
export const indexText = (index) => index.join(", ");
