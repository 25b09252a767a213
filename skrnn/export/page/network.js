// The network of a fitted estimator: from tokens to hidden states, and from these to
// the numbers that predict_proba, predict or transform return. All sums are in double
// precision.
"use strict";

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

  // h and numbers after the first t tokens.
  after(t) {
    this.#results[t] ??= this.#read(t);
    return this.#results[t];
  }

  #read(t) {
    const { network } = this, tokens = this.tokens.slice(0, t);
    // In one direction, states depend on what comes before alone.
    const isAll = network.nDirections > 1 && t < this.tokens.length;
    const known = this.states.map((H) => H.slice(0, t));
    const states = isAll ? network.states(tokens) : known;
    const h = network.pooled(states);
    return { h, numbers: network.numbers(h, tokens) };
  }
}

// The network of a page.
async function loadNetwork() {
  const content = JSON.parse(document.getElementById("model").textContent);
  return new Network(await decompressed(content));
}
