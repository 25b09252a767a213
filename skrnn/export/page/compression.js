// Arrays from the text that Python has written; see skrnn/export/_compression.py.
"use strict";

// What Python has compressed, with the arrays in place of the strings.
async function decompressed(part) {
  if (Array.isArray(part)) {
    return Promise.all(part.map(decompressed));
  }
  if (part === null || typeof part !== "object") {
    return part;
  }
  if (typeof part.data === "string") {
    return decompressedArray(part);
  }
  const entries = Object.entries(part).map(async ([k, v]) => [k, await decompressed(v)]);
  return Object.fromEntries(await Promise.all(entries));
}

// The numbers of an array, and their shape.
async function decompressedArray({ type, shape, data, step }) {
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter(), text = atob(data);
  const compressed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    compressed[i] = text.charCodeAt(i);
  }
  writer.write(compressed);
  writer.close();
  const bytes = new Uint8Array(await new Response(readable).arrayBuffer());
  const n = bytes.length / 4;
  const bits = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    const high = (bytes[2 * n + i] << 16) | (bytes[3 * n + i] << 24);
    bits[i] = bytes[i] | (bytes[n + i] << 8) | high;
  }
  if (type === "float32") {
    return { shape, values: new Float32Array(bits.buffer) };
  }
  const integers = Int32Array.from(bits, (z) => (z >>> 1) ^ -(z & 1));
  if (type === "int32") {
    return { shape, values: integers };
  }
  return { shape, values: Float32Array.from(integers, (k) => k * step) };
}
