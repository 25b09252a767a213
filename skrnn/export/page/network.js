// The network of a fitted estimator: from what is typed to hidden states, and from
// these to the numbers that predict_proba, predict or transform return.
//
// It knows nothing of the page. All sums are in double precision.
"use strict";

// What Python has packed, with the arrays in place of the strings.
async function unpacked(part) {
  if (Array.isArray(part)) {
    return Promise.all(part.map(unpacked));
  }
  if (part === null || typeof part !== "object") {
    return part;
  }
  if (typeof part.data === "string") {
    return unpackedArray(part);
  }
  const entries = Object.entries(part).map(async ([k, v]) => [k, await unpacked(v)]);
  return Object.fromEntries(await Promise.all(entries));
}

// The numbers of an array, and their shape; see skrnn/export/_packing.py.
async function unpackedArray({ type, shape, data, step }) {
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  writer.write(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
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

// total += factor * row i of a matrix, to the last entries of the total
function addRow(total, { shape, values }, i, factor = 1) {
  const width = shape[1], first = i * width, at = total.length - width;
  for (let j = 0; j < width; j++) {
    total[at + j] += factor * values[first + j];
  }
}

// total += M x, to the first entries of the total
function addProduct(total, { shape, values }, x) {
  for (let i = 0; i < shape[0]; i++) {
    let sum = 0;
    for (let j = 0, k = i * shape[1]; j < shape[1]; j++, k++) {
      sum += values[k] * x[j];
    }
    total[i] += sum;
  }
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const ACTIVATIONS = {
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  identity: (x) => x,
};

// Each cell takes the blocks G of one step and the states before it, and returns the
// states after it, h first; the equations are those of skrnn/_core/cells.
const CELLS = {
  rnn(G, before, activation) {
    return [G.map(ACTIVATIONS[activation])];
  },

  gru(G, [before]) {
    const n = before.length;
    const h = before.map((h_j, j) => {
      const r = sigmoid(G[n + j]), z = sigmoid(G[2 * n + j]);
      const n_j = Math.tanh(G[3 * n + j] + r * G[j]);
      return (1 - z) * n_j + z * h_j;
    });
    return [h];
  },

  lstm(G, [, before]) {
    const n = before.length;
    const c = before.map((c_j, j) => {
      const i = sigmoid(G[n + j]), f = sigmoid(G[2 * n + j]);
      return f * c_j + i * Math.tanh(G[3 * n + j]);
    });
    return [c.map((c_j, j) => sigmoid(G[j]) * Math.tanh(c_j)), c];
  },
};

const last = (H) => H.at(-1);
const largest = (H) => last(H).map((_, j) => Math.max(...H.map((h) => h[j])));
const joined = (parts) => Float64Array.from(parts.flatMap((part) => [...part]));

// From the hidden states of all steps, in the order in which they were read, to one
// vector.
const POOLINGS = {
  last,
  max: largest,
  mean: (H) => last(H).map((_, j) => H.reduce((sum, h) => sum + h[j], 0) / H.length),
  concat: (H) => joined([last(H), largest(H)]),
  sum: (H) => largest(H).map((most, j) => last(H)[j] + most),
};

// What the scores of each task mean.
const TASKS = {
  classification(scores) {
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  },
  multilabel: (scores) => scores.map(sigmoid),
  regression: (scores, { mean, scale }) => scores.map((s, i) => s * scale[i] + mean[i]),
};

// N-grams by the numbers of their tokens.
class Grams {
  constructor({ tokens, numbers, lengths }, ids) {
    this.numberOf = new Map(tokens.map((token, i) => [token, i]));
    this.idOf = new Map();
    this.longest = 0;
    let first = 0;
    lengths.values.forEach((length, i) => {
      const gram = numbers.values.subarray(first, first + length);
      this.idOf.set(gram.join(), ids.values[i]);
      this.longest = Math.max(this.longest, length);
      first += length;
    });
  }

  // The numbers of tokens, -1 for those that are in no n-gram.
  numbers(tokens) {
    return tokens.map((token) => this.numberOf.get(token) ?? -1);
  }

  // The id of the n-gram from step `first` to before step `end`, or undefined.
  find(numbers, first, end) {
    return this.idOf.get(numbers.slice(first, end).join());
  }
}

// How strings become tokens, and tokens the ids that the network reads.
class Reader {
  constructor(reading) {
    Object.assign(this, reading);
    const { word, space, letter, upper, digit, combining } = reading.classes;
    const anyOf = (ranges) => new RegExp(`[${ranges}]`, "u");
    this.known = new Grams(reading.grams, reading.grams.ids);
    if (combining) {
      this.combining = anyOf(combining);
    }
    if (reading.kind === "words") {
      this.word = new RegExp(`[${word}]+|[^${word}${space}]`, "gu");
    }
    if (reading.subwords) {
      [this.letter, this.upper, this.digit] = [letter, upper, digit].map(anyOf);
      const { names, ids } = reading.subwords;
      this.subwordIds = new Map(names.map((name, i) => [name, ids.values[i]]));
    }
    if (reading.wide) {
      this.wideGrams = new Grams(reading.wide, reading.wide.columns);
    }
  }

  // The tokens of what is typed.
  tokens(typed) {
    let tokens;
    if (this.kind === "tokens") {
      const parts = typed.split(this.separator === " " ? /\s+/ : this.separator);
      const isKnown = (part) => this.known.numberOf.has(part);
      tokens = parts.map((part) => (isKnown(part) ? part : part.trim()));
      tokens = tokens.filter((token) => token !== "");
    } else {
      const text = this.preprocessed(typed);
      tokens = this.kind === "text" ? Array.from(text) : text.match(this.word) ?? [];
    }
    if (this.maxLength === null || tokens.length <= this.maxLength) {
      return tokens;
    }
    if (this.overlong === "error") {
      throw new RangeError(
        `This has ${tokens.length} steps, but max_length is ${this.maxLength}.`
      );
    }
    const isFirst = this.overlong === "first";
    return isFirst ? tokens.slice(0, this.maxLength) : tokens.slice(-this.maxLength);
  }

  preprocessed(text) {
    const lower = this.lowercase ? text.toLowerCase() : text;
    if (this.accents === null) {
      return lower;
    }
    const isKept =
      this.accents === "ascii"
        ? (character) => character <= "\x7f"
        : (character) => !this.combining.test(character);
    return Array.from(lower.normalize("NFKD")).filter(isKept).join("");
  }

  // By step, the ids of the n-grams that end there, then those of subwords.
  ids(tokens) {
    const { range: [least, most], absent } = this.grams;
    const numbers = this.known.numbers(tokens);
    return tokens.map((token, t) => {
      const ids = [];
      for (let n = least; n <= most; n++) {
        const first = t + 1 - n;
        ids.push(first < 0 ? absent : this.known.find(numbers, first, t + 1) ?? 0);
      }
      const names = this.subwords ? this.subwordsOf(token) : [];
      const found = names.map((n) => (n === null ? absent : this.subwordIds.get(n) ?? 0));
      return ids.concat(found);
    });
  }

  // Its lowercase form, beginnings, endings and shape; null for those that it has not.
  subwordsOf(token) {
    const { lengths } = this.subwords;
    if (this.areIntegers) {
      return Array(2 + 2 * lengths.length).fill(null);
    }
    const lower = token.toLowerCase(), characters = Array.from(lower);
    const part = (n, ...range) => {
      return characters.length > n ? characters.slice(...range).join("") : null;
    };
    const before = lengths.map((n) => part(n, 0, n)?.replace(/^/, "<") ?? null);
    const after = lengths.map((n) => part(n, -n)?.replace(/$/, ">") ?? null);
    const kinds = Array.from(token, (character) => this.kindOf(character));
    const shape = kinds.filter((kind, i) => kind !== kinds[i - 1]).join("");
    return [`<${lower}>`, ...before, ...after, shape];
  }

  kindOf(character) {
    if (this.letter.test(character)) {
      return this.upper.test(character) ? "X" : "x";
    }
    return this.digit.test(character) ? "0" : character;
  }

  // What the wide path reads: the columns of known n-grams, and their TF-IDF weights.
  wideEntries(tokens) {
    const { hasEnds, idf } = this.wide, counts = new Map();
    const marked = hasEnds ? ["\x02", ...tokens, "\x03"] : tokens;
    for (const numbers of this.wideRuns(this.wideGrams.numbers(marked))) {
      for (let first = 0; first < numbers.length; first++) {
        for (let n = 1; n <= this.wideGrams.longest; n++) {
          const end = first + n;
          const column = this.wideGrams.find(numbers, first, end);
          if (end <= numbers.length && column !== undefined) {
            counts.set(column, (counts.get(column) ?? 0) + 1);
          }
        }
      }
    }
    const entries = Array.from(counts, ([column, count]) => {
      return [column, (1 + Math.log(count)) * idf.values[column]];
    });
    const norm = Math.sqrt(entries.reduce((sum, [, x]) => sum + x * x, 0));
    return entries.map(([column, x]) => [column, x / norm]);
  }

  // The numbers of tokens; where n-grams have places, also those of tokens at places,
  // and of each pair of these that are no neighbours.
  wideRuns(numbers) {
    const { places, hasPairs } = this.wide, n = this.wideGrams.numberOf.size;
    const isPlaced = (k, place) => k >= 0 && place < places;
    const placed = numbers.map((k, p) => (isPlaced(k, p) ? k + (1 + p) * n : -1));
    const runs = places ? [numbers, placed] : [numbers];
    if (hasPairs) {
      const apart = placed.map((k) => (k < 0 ? -1 : k + places * n));
      apart.slice(0, places).forEach((one, i) => {
        apart.slice(i + 2, places).forEach((other) => runs.push([one, other]));
      });
    }
    return runs;
  }
}

class Network {
  constructor(content) {
    Object.assign(this, content);
    this.reader = new Reader(content.reading);
    this.nDirections = this.layers[0].length;
  }

  // The hidden states of the last layer: by direction, then step.
  states(tokens) {
    let inputs = this.reader.ids(tokens), states;
    this.layers.forEach((directions, k) => {
      const add = k === 0 ? this.addTokens.bind(this) : this.addNumbers;
      states = directions.map((layer, d) => this.run(layer, inputs, d === 1, add));
      inputs = tokens.map((_, t) => joined(states.map((H) => H[t])));
    });
    return states;
  }

  // The hidden states of one layer in one direction, by step.
  run(layer, inputs, isReversed, addInput) {
    const n = layer.W.shape[1], H = Array(inputs.length);
    const order = [...inputs.keys()];
    let states = [new Float64Array(n), new Float64Array(n)];
    for (const t of isReversed ? order.reverse() : order) {
      const G = Float64Array.from(layer.b.values);
      if (this.hasW) {
        addProduct(G, layer.W, states[0]);
      } else {
        states[0].forEach((h_j, j) => (G[j] += h_j));
      }
      addInput(G, layer.U, inputs[t]);
      states = CELLS[this.cell](G, states, this.activation);
      H[t] = states[0];
    }
    return H;
  }

  // G += U x for the tokens of a step, whose vectors are summed
  addTokens(G, U, ids) {
    if (this.embeddings === null) {
      ids.forEach((id) => addRow(G, U, id));
      return;
    }
    const x = new Float64Array(this.embeddings.shape[1]);
    ids.forEach((id) => addRow(x, this.embeddings, id));
    this.addNumbers(G, U, x);
  }

  addNumbers(G, U, x) {
    x.forEach((x_i, i) => addRow(G, U, i, x_i));
  }

  // The pooled vector h, given the states of all steps.
  pooled(states) {
    if (states[0].length === 0) {
      const twice = this.pooling === "concat" ? 2 : 1;
      const n = this.layers.at(-1)[0].W.shape[1];
      return new Float64Array(n * twice * this.nDirections);
    }
    const inOrder = states.map((H, d) => (d === 1 ? H.toReversed() : H));
    return joined(inOrder.map(POOLINGS[this.pooling]));
  }

  // What predict_proba, predict or transform return, given h.
  numbers(h, tokens) {
    const { task, V, c, A } = this.output;
    if (task === "code") {
      return h;
    }
    let scores = Float64Array.from(c.values);
    addProduct(scores, V, h);
    const entries = A === null ? [] : this.reader.wideEntries(tokens);
    if (entries.length > 0) {
      entries.forEach(([column, x]) => addRow(scores, A, column, x));
      scores = scores.map((score) => score / 2);
    }
    return TASKS[task](scores, this.output);
  }

  // What is typed, ready to be read.
  read(typed) {
    return new Reading(this, this.reader.tokens(typed));
  }
}

// A sequence of tokens, of which any beginning can be read.
class Reading {
  #results = [];

  constructor(network, tokens) {
    this.network = network;
    this.tokens = tokens;
    this.states = network.states(tokens);
  }

  // The states, h and numbers after the first t tokens.
  after(t) {
    this.#results[t] ??= this.#read(t);
    return this.#results[t];
  }

  #read(t) {
    const { network } = this, tokens = this.tokens.slice(0, t);
    // In one direction, states depend on what comes before alone.
    const isAll = network.nDirections > 1 && t < this.tokens.length;
    const states = isAll ? network.states(tokens) : this.states.map((H) => H.slice(0, t));
    const h = network.pooled(states);
    return { states, h, numbers: network.numbers(h, tokens) };
  }
}

// The network of a page.
async function loadNetwork() {
  const content = JSON.parse(document.getElementById("model").textContent);
  return new Network(await unpacked(content));
}
