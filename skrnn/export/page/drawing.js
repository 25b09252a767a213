// What the page shows: the rows of hidden states, the verdict and the map. All names
// and labels are put there as text, never as HTML.
"use strict";

const MOST_STEPS = 200; // rows that are shown
const MOST_BARS = 20; // labels that are shown, the most probable ones
const MOST_ON_MAP = 1500;
const PACE = 550; // milliseconds per step, while it plays
const UNITS = { text: "letter", words: "word", tokens: "token" };

const $ = (id) => document.getElementById(id);

function make(name, className, text) {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text ?? "";
  return element;
}

// A token as it can be seen.
function visible(token) {
  return token.replace(/\p{Z}/gu, "␣").replace(/[\p{C}]/gu, (character) => {
    return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

function percent(p) {
  return `${(100 * p).toFixed(p < 0.0995 ? 1 : 0)} %`;
}

class Page {
  #timer = null;
  #step = 0; // how many tokens have been read

  constructor(network) {
    this.network = network;
    this.kind = network.reader.kind;
    this.unit = UNITS[this.kind];
    this.task = network.output.task;
    this.isCode = this.task === "code";
    document.querySelector("main").classList.toggle("code", this.isCode);
    document.querySelector("main").classList.toggle("words", this.kind !== "text");
    this.write();
    this.map = new EmbeddingMap($("map"), network, (label) => this.append(label));
    $("typed").addEventListener("input", () => this.read());
    $("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.play();
    });
    $("steps").addEventListener("change", (event) => {
      this.stop();
      this.show(Number(event.target.value));
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.read());
    $("typed").value = this.first();
    this.read();
    this.check();
  }

  // What does not depend on what is typed.
  write() {
    const { name, version, cell, layers, nDirections, output, map } = this.network;
    const widths = layers.map(([layer]) => layer.W.shape[1]).join(", ");
    const cells = { rnn: "a simple recurrent network", gru: "a GRU", lstm: "an LSTM" };
    const both = nDirections > 1 ? ", read in both directions" : "";
    const labels = output.labels ? `, ${output.labels.length} outputs` : "";
    document.title = `${name}: type, and watch it read`;
    $("name").textContent = name;
    $("about").textContent = `${cells[cell]} of ${widths} units${both}${labels}; fitted with skrnn ${version}. `
      + "Everything on this page is computed here, in your browser.";
    const between = { " ": " between spaces", "\t": " between tabs" }[this.network.reader.separator];
    const how = this.kind === "tokens" ? between ?? ` separated by ${visible(this.network.reader.separator)}` : "";
    $("prompt").textContent = { text: "Type a word", words: "Type a sentence", tokens: `Type tokens${how}` }[this.kind];
    $("hint").textContent = `One row per ${this.unit}, one cell per unit. Choose a row to see what the network thinks after it.`;
    $("map-hint").textContent = "What the network knows of each "
      + `${this.unit} on its own, in two dimensions (${percent(map.shares[0] + map.shares[1])} of the variance).`;
    $("verdict").hidden = this.isCode;
  }

  // The word in the address, behind #, or an example.
  first() {
    try {
      return decodeURIComponent(location.hash.slice(1)) || this.network.example.text;
    } catch {
      return this.network.example.text;
    }
  }

  append(label) {
    const { separator } = this.network.reader, typed = $("typed").value;
    const between = this.kind === "text" || typed === "" ? "" : separator ?? " ";
    $("typed").value = typed + between + label;
    this.read();
  }

  // Read what is typed, and show the whole of it.
  read() {
    this.stop();
    $("problem").textContent = "";
    try {
      this.reading = this.network.read($("typed").value);
    } catch (error) {
      $("problem").textContent = error.message;
      return;
    }
    this.writeSteps();
    this.show(this.reading.tokens.length);
  }

  writeSteps() {
    const { tokens, states } = this.reading, n = Math.min(tokens.length, MOST_STEPS);
    const rows = Array.from({ length: n }, (_, t) => {
      const row = make("label", "row step"), choice = make("input", "");
      Object.assign(choice, { type: "radio", name: "step", value: t + 1 });
      choice.setAttribute("aria-label", `${visible(tokens[t])}, ${this.unit} ${t + 1}`);
      const canvas = make("canvas", ""), says = make("span", "says");
      canvas.setAttribute("aria-hidden", "true");
      says.setAttribute("aria-hidden", "true");
      const token = make("span", "token", visible(tokens[t]));
      token.setAttribute("aria-hidden", "true");
      row.append(choice, token, canvas, says);
      paint(canvas, joined(states.map((H) => H[t])), this.scale());
      return row;
    });
    $("steps").replaceChildren(...rows);
    this.writeVerdicts(rows);
  }

  // What the network thinks after each step, where that does not take long.
  writeVerdicts(rows) {
    const isQuick = this.network.nDirections === 1 || rows.length <= 32;
    rows.forEach((row, t) => {
      if (isQuick && !this.isCode) {
        const [label, number] = this.says(this.reading.after(t + 1).numbers);
        row.lastChild.replaceChildren(make("b", "", label), ` ${number}`);
      }
    });
  }

  // The label to name, and its number, as text.
  says(numbers) {
    const { labels } = this.network.output;
    if (this.task === "regression") {
      return ["", labels.length > 1 ? "" : numbers[0].toPrecision(4)];
    }
    const most = numbers.indexOf(Math.max(...numbers));
    return [visible(labels[most]), percent(numbers[most])];
  }

  // The largest state that a colour stands for.
  scale() {
    const isBounded = this.network.cell !== "rnn" || this.network.activation === "tanh";
    const all = this.reading.states.flatMap((H) => H.flatMap((h) => [...h]));
    return isBounded ? 1 : all.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
  }

  // Show the first steps alone.
  show(step) {
    this.#step = step;
    const { tokens } = this.reading, { h, numbers } = this.reading.after(step);
    [...$("steps").children].forEach((row, t) => {
      row.classList.toggle("later", t >= step);
      row.classList.toggle("chosen", t === step - 1 && step < tokens.length);
      row.firstChild.checked = t === step - 1;
    });
    const scale = { sum: 2 * this.scale() }[this.network.pooling] ?? this.scale();
    paint($("pooled").querySelector("canvas"), h, scale);
    const pool = { last: "the last state", mean: "the mean", max: "the largest", concat: "last and largest", sum: "last + largest" };
    $("pooled").lastChild.textContent = pool[this.network.pooling];
    $("pooled").setAttribute("aria-label", `h, ${pool[this.network.pooling]}: ${h.length} numbers`);
    const read = tokens.slice(0, step);
    const text = read.map(visible).join(this.kind === "text" ? "" : " ");
    $("heard").textContent = step === 0 ? "Before the first " + this.unit : `After “${text}”`;
    if (!this.isCode) {
      this.writeBars(numbers);
      $("summary").textContent = `${text}: ${this.says(numbers).join(" ")}`;
    }
    this.map.light(this.network.reader.ids(read).map((ids) => ids[0]));
  }

  writeBars(numbers) {
    const { labels, mean, scale } = this.network.output, isNumber = this.task === "regression";
    let shown = [...labels.keys()];
    if (labels.length > MOST_BARS) {
      const { numbers: final } = this.reading.after(this.reading.tokens.length);
      const most = shown.sort((i, j) => final[j] - final[i]).slice(0, MOST_BARS);
      shown = isNumber ? [...labels.keys()].slice(0, MOST_BARS) : most;
    }
    const key = shown.join();
    if (this.barsOf !== key) { // else those that are there move
      this.barsOf = key;
      $("bars").replaceChildren(...shown.map((i) => makeBar(visible(labels[i]))));
    }
    const largestNumber = Math.max(...numbers);
    shown.forEach((i, k) => {
      const row = $("bars").children[k], x = numbers[i];
      const share = isNumber ? 0.5 + (x - mean[i]) / (6 * (scale[i] || 1)) : x;
      row.querySelector("i").style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
      row.querySelector(".number").textContent = isNumber ? x.toPrecision(5) : percent(x);
      row.classList.toggle("most", isNumber || x === largestNumber);
    });
  }

  // Read again, step by step.
  play() {
    this.stop();
    const next = () => {
      this.show(this.#step + 1);
      this.#timer = this.#step < this.reading.tokens.length ? setTimeout(next, PACE) : null;
    };
    if (this.reading.tokens.length > 0) {
      this.show(0);
      this.#timer = setTimeout(next, PACE);
    }
  }

  stop() {
    clearTimeout(this.#timer);
  }

  // Compare the numbers of the example with those that Python computed.
  check() {
    const { text, numbers } = this.network.example, reading = this.network.read(text);
    const ours = reading.after(reading.tokens.length).numbers;
    const scale = Math.max(1, ...numbers.map(Math.abs));
    const most = Math.max(...numbers.map((x, i) => Math.abs(x - ours[i]) / scale));
    if (most > 1e-4) {
      $("problem").textContent = "This browser computes other numbers than Python did.";
    }
    $("check").textContent = `Checked against Python on “${visible(text)}”: numbers differ by at most ${most.toExponential(0)}.`;
  }
}

function makeBar(label) {
  const row = make("tr", ""), name = make("th", "", label), cell = make("td", "");
  name.scope = "row";
  const track = make("div", "track");
  track.append(make("i", ""));
  track.setAttribute("aria-hidden", "true");
  cell.append(track, make("span", "number"));
  row.append(name, cell);
  return row;
}

// Paint numbers as the cells of a canvas.
function paint(canvas, numbers, scale) {
  const style = getComputedStyle(document.documentElement);
  const [negative, zero, positive] = ["--negative", "--zero", "--positive"].map((name) => {
    return style.getPropertyValue(name).trim().split(" ").map(Number);
  });
  canvas.width = Math.max(1, numbers.length);
  canvas.height = 1;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, 1);
  numbers.forEach((number, j) => {
    const share = Math.min(1, Math.abs(number) / scale) ** 0.75;
    const end = number < 0 ? negative : positive;
    const colour = zero.map((z, i) => z + share * (end[i] - z));
    image.data.set([...colour, 255], 4 * j);
  });
  context.putImageData(image, 0, 0);
}

function makeInSvg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  return element;
}

// The vectors of tokens, as a map.
class EmbeddingMap {
  constructor(svg, { map, reader }, onChoose) {
    const { labels, ids, norms } = map, { values } = map.places;
    this.svg = svg;
    this.path = makeInSvg("polyline", { points: "" });
    this.at = new Map(); // by id, its place
    const at = fitted(values);
    ids.values.forEach((id, i) => this.at.set(id, { label: labels[i], place: at[i] }));
    const order = [...labels.keys()].sort((i, j) => norms.values[j] - norms.values[i]);
    const shown = order.slice(0, MOST_ON_MAP), taken = [];
    this.marks = new Map();
    svg.append(this.path);
    shown.forEach((i) => this.add(ids.values[i], isFree(at[i], labels[i], taken), onChoose));
    this.onChoose = onChoose;
    this.unit = UNITS[reader.kind];
  }

  add(id, hasLabel, onChoose) {
    const { label, place: [x, y] } = this.at.get(id);
    const mark = makeInSvg("g", {}), title = makeInSvg("title", {});
    title.textContent = visible(label);
    mark.append(makeInSvg("circle", { cx: x, cy: y, r: hasLabel ? 0 : 3 }), title);
    const text = makeInSvg("text", { x, y });
    text.textContent = visible(label);
    mark.append(text);
    mark.hasLabel = hasLabel;
    text.style.display = hasLabel ? "" : "none";
    mark.addEventListener("click", () => onChoose(label));
    this.svg.append(mark);
    this.marks.set(id, mark);
    return mark;
  }

  // Light the tokens of some steps, by their ids.
  light(ids) {
    const known = ids.filter((id) => this.at.has(id));
    this.marks.forEach((mark) => {
      mark.classList.remove("lit", "now");
      mark.querySelector("circle").setAttribute("r", mark.hasLabel ? 0 : 3);
      mark.querySelector("text").style.display = mark.hasLabel ? "" : "none";
    });
    new Set(known).forEach((id) => {
      const mark = this.marks.get(id) ?? this.add(id, false, this.onChoose);
      mark.classList.add("lit");
      mark.classList.toggle("now", id === ids.at(-1));
      mark.querySelector("circle").setAttribute("r", 17);
      mark.querySelector("text").style.display = "";
      this.svg.append(mark); // on top
    });
    const points = known.map((id) => this.at.get(id).place.join()).join(" ");
    this.path.setAttribute("points", points);
    const lit = known.map((id) => visible(this.at.get(id).label)).join(", ");
    const what = `Map of the embeddings of ${this.at.size} ${this.unit}s.`;
    this.svg.setAttribute("aria-label", lit ? `${what} Lit: ${lit}.` : what);
  }
}

// Places in the frame of the map, in proportion.
function fitted(values) {
  const [width, height, margin] = [640, 460, 26];
  const xs = values.filter((_, i) => i % 2 === 0), ys = values.filter((_, i) => i % 2);
  const ends = [xs, ys].map((v) => [v.reduce((a, b) => Math.min(a, b)), v.reduce((a, b) => Math.max(a, b))]);
  const [[left, right], [bottom, top]] = ends;
  const scale = Math.min(
    (width - 2 * margin) / (right - left || 1),
    (height - 2 * margin) / (top - bottom || 1)
  );
  return Array.from(xs, (x, i) => [
    width / 2 + scale * (x - (left + right) / 2),
    height / 2 - scale * (ys[i] - (bottom + top) / 2),
  ]);
}

// Whether there is room for a label; if so, it is taken.
function isFree([x, y], label, taken) {
  const half = 5.5 * visible(label).length + 2;
  const isApart = ([u, v, other]) => Math.abs(u - x) > half + other || Math.abs(v - y) > 15;
  const isOne = taken.every(isApart);
  if (isOne) {
    taken.push([x, y, half]);
  }
  return isOne;
}

// The network of this page, for scripts that want its numbers.
const ready = loadNetwork();
ready.then(
  (network) => new Page(network),
  (error) => {
    $("problem").textContent = `This page needs a browser of 2023 or later. (${error.message})`;
  }
);
