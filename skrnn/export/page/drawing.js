// What the page shows: a row of cells for each hidden state, the verdict, and the map.
// Names and labels are put there as text, never as HTML.
"use strict";

const MOST_STEPS = 200; // rows that are shown
const MOST_BARS = 20; // labels that are shown, those of the largest numbers
const FEW_BARS = 8; // so few that the map has its place below them
const QUICK = 32; // steps after each of which a network of two directions is asked
const PACE = 550; // milliseconds per step, while it plays

const UNITS = { text: "character", words: "word", tokens: "token" };
const CELL_NAMES = { rnn: "A simple recurrent network", gru: "A GRU", lstm: "An LSTM" };
const POOLING_NAMES = {
  last: "the last",
  mean: "the mean",
  max: "the largest",
  concat: "last, largest",
  sum: "last + largest",
};

const $ = (id) => document.getElementById(id);

function make(name, className = "", text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

// A token or label as it can be seen: characters that have no form by their code.
function visible(text) {
  if (text === " ") {
    return "␣";
  }
  const isAlone = /^[\p{C}\p{Z}]$/u.test(text);
  const formless = isAlone ? /./gsu : /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu;
  return text.replace(formless, (character) => {
    const code = character.codePointAt(0).toString(16).toUpperCase();
    return `U+${code.padStart(4, "0")}`;
  });
}

function percent(p) {
  return `${(100 * p).toFixed(p < 0.0995 ? 1 : 0)} %`;
}

class Page {
  #timer = null;
  #step = 0; // how many tokens have been read
  #bars = ""; // which labels have bars

  constructor(network) {
    this.network = network;
    this.kind = network.reader.kind;
    this.unit = UNITS[this.kind];
    this.isCode = network.output.task === "code";
    this.isNumber = network.output.task === "regression";
    this.write();
    this.map = new EmbeddingMap($("map"), network.map, (label) => this.append(label));
    $("typed").addEventListener("input", () => this.read());
    $("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.play();
    });
    $("steps").addEventListener("change", (event) => {
      this.stop();
      this.show(Number(event.target.value));
    });
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.read());
    addEventListener("hashchange", () => this.readAddress());
    this.readAddress();
    this.check();
  }

  // What does not depend on what is typed.
  write() {
    const { name, version, cell, layers, nDirections, output, map, example } =
      this.network;
    const main = document.querySelector("main"), unit = this.unit;
    main.classList.toggle("code", this.isCode);
    main.classList.toggle("words", this.kind !== "text");
    main.classList.toggle("few", !this.isCode && output.labels.length <= FEW_BARS);
    $("verdict").hidden = this.isCode;
    const widths = layers.map(([layer]) => layer.W.shape[1]).join(" and ");
    const both = nDirections > 1 ? " in each of two directions" : "";
    const isOne = this.isCode || output.labels.length === 1;
    const labels = isOne ? "" : `, ${output.labels.length} outputs`;
    document.title = `${name}: type, and watch it read`;
    $("name").textContent = name;
    $("about").textContent =
      `${CELL_NAMES[cell]} of ${widths} units${both}${labels}, written by skrnn ` +
      `${version}. All that you see is computed here, in your browser` +
      (example.unrounded ? ", with rounded weights." : ".");
    $("prompt").textContent = this.prompt();
    $("hint").textContent =
      `A row for each ${unit}, a cell for each unit. Choose a row to see what is ` +
      `${this.isCode ? "known" : "predicted"} after it.`;
    $("map-hint").textContent =
      `The vector of each ${unit}, in the two dimensions in which they differ most ` +
      `(${percent(map.shares[0] + map.shares[1])} of the variance).`;
  }

  prompt() {
    const { separator } = this.network.reader;
    const between = { " ": "with spaces between", "\t": "with tabs between" };
    const how = between[separator] ?? `with ${visible(separator ?? "")} between`;
    const prompts = { text: "Type a word", words: "Type a sentence" };
    return prompts[this.kind] ?? `Type tokens, ${how}`;
  }

  // Read what is in the address, behind #, or else an example.
  readAddress() {
    let given = "";
    try {
      given = decodeURIComponent(location.hash.slice(1));
    } catch {
      // It is malformed.
    }
    $("typed").value = given || this.network.example.text;
    this.read();
  }

  append(label) {
    const typed = $("typed").value, { separator } = this.network.reader;
    const between = this.kind === "text" || typed === "" ? "" : separator ?? " ";
    $("typed").value = typed + between + label;
    this.read();
  }

  // Read what is typed, and show all of it.
  read() {
    this.stop();
    const before = this.reading?.tokens ?? [];
    $("problem").textContent = "";
    try {
      this.reading = this.network.read($("typed").value);
    } catch (error) {
      $("problem").textContent = error.message;
      return;
    }
    const { tokens } = this.reading;
    const isOther = (token, t) => token !== before[t];
    const firstNew = tokens.findIndex(isOther);
    this.scale = this.scaleOfStates();
    this.writeSteps(firstNew < 0 ? tokens.length : firstNew);
    this.show(tokens.length);
  }

  // The largest state that a colour stands for.
  scaleOfStates() {
    const { cell, activation } = this.network;
    if (cell !== "rnn" || activation === "tanh") {
      return 1;
    }
    const all = this.reading.states.flatMap((H) => H.flatMap((h) => [...h]));
    return all.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
  }

  writeSteps(firstNew) {
    const { tokens, states } = this.reading;
    const rows = tokens.slice(0, MOST_STEPS).map((token, t) => {
      const row = make("label", t < firstNew ? "row step" : "row step new");
      const choice = make("input"), canvas = make("canvas");
      const says = make("span", "says");
      Object.assign(choice, { type: "radio", name: "step", value: t + 1 });
      const shown = [make("span", "token", visible(token)), canvas, says];
      shown.forEach((part) => part.setAttribute("aria-hidden", "true"));
      paint(canvas, joined(states.map((H) => H[t])), this.scale);
      const [label, number] = this.verdictAfter(t + 1, tokens.length);
      says.append(make("b", "", label), make("span", "", number));
      const what = [`${visible(token)}, ${this.unit} ${t + 1}`, label, number];
      choice.setAttribute("aria-label", what.filter(Boolean).join(" "));
      row.append(choice, ...shown);
      return row;
    });
    $("steps").replaceChildren(...rows);
    const nMore = tokens.length - rows.length;
    $("rest").textContent = nMore > 0 ? `The rows of ${nMore} more are not shown.` : "";
    $("least").textContent = `−${Number(this.scale.toPrecision(2))}`;
    $("most").textContent = `+${Number(this.scale.toPrecision(2))}`;
  }

  // What the network predicts after some steps, where that does not take long.
  verdictAfter(t, n) {
    const isQuick = this.network.nDirections === 1 || n <= QUICK;
    const isShown = isQuick && !this.isCode;
    return isShown ? this.says(this.reading.after(t).numbers) : ["", ""];
  }

  // The label of the largest number, and this number, as text.
  says(numbers) {
    const { labels } = this.network.output;
    if (this.isNumber) {
      return ["", labels.length > 1 ? "" : numbers[0].toPrecision(4)];
    }
    const most = numbers.indexOf(Math.max(...numbers));
    return [visible(labels[most]), percent(numbers[most])];
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
    this.writeCode(h);
    const read = tokens.slice(0, step);
    const text = read.map(visible).join(this.kind === "text" ? "" : " ");
    const { labels = [] } = this.network.output;
    const some = labels.length > MOST_BARS ? `, ${MOST_BARS} of ${labels.length}` : "";
    $("heard").textContent = (step ? `After “${text}”` : "Before any step") + some;
    if (!this.isCode) {
      this.writeBars(numbers);
      $("summary").textContent = `${text}: ${this.says(numbers).join(" ")}`;
    }
    this.map.light(this.network.reader.ids(read).map((ids) => ids[0]));
  }

  // The row of h, into which the states are pooled.
  writeCode(h) {
    const name = POOLING_NAMES[this.network.pooling], row = $("pooled");
    const factor = this.network.pooling === "sum" ? 2 : 1;
    paint(row.querySelector("canvas"), h, factor * this.scale);
    row.lastChild.textContent = name;
    row.setAttribute("aria-label", `h, ${name} of the states: ${h.length} numbers`);
  }

  writeBars(numbers) {
    const { labels, mean, scale } = this.network.output, shown = this.shownLabels();
    if (this.#bars !== shown.join()) {
      this.#bars = shown.join(); // else those that are there move
      $("bars").replaceChildren(...shown.map((i) => makeBar(visible(labels[i]))));
    }
    const most = Math.max(...numbers);
    shown.forEach((i, k) => {
      const row = $("bars").children[k], x = numbers[i];
      // A number is in the middle where it is the mean, and 3 deviations are the half.
      const share = this.isNumber ? 0.5 + (x - mean[i]) / (6 * (scale[i] || 1)) : x;
      const width = 100 * Math.min(1, Math.max(0, share));
      row.querySelector("i").style.width = `${width}%`;
      const text = this.isNumber ? x.toPrecision(5) : percent(x);
      row.querySelector(".number").textContent = text;
      row.classList.toggle("most", this.isNumber || x === most);
    });
  }

  // The labels with bars: all, or those of the largest numbers, in their order.
  shownLabels() {
    const all = [...this.network.output.labels.keys()];
    if (all.length <= MOST_BARS || this.isNumber) {
      return all.slice(0, MOST_BARS);
    }
    const { numbers } = this.reading.after(this.reading.tokens.length);
    const order = all.toSorted((i, j) => numbers[j] - numbers[i]);
    return order.slice(0, MOST_BARS).sort((i, j) => i - j);
  }

  // Read again, step by step.
  play() {
    const n = this.reading?.tokens.length ?? 0;
    const next = () => {
      this.show(this.#step + 1);
      this.#timer = this.#step < n ? setTimeout(next, PACE) : null;
    };
    this.stop();
    if (n > 0) {
      this.show(0);
      this.#timer = setTimeout(next, PACE);
    }
  }

  stop() {
    clearTimeout(this.#timer);
  }

  // Compare the numbers of the example with those that Python computed.
  check() {
    const { text, numbers, unrounded } = this.network.example;
    const reading = this.network.read(text);
    const ours = reading.after(reading.tokens.length).numbers;
    const most = largestDifference(ours, numbers);
    if (!(most < 1e-4)) {
      $("problem").textContent = "This browser computes other numbers than Python did.";
    }
    const how = unrounded ? ", with the same rounded weights," : "";
    $("check").textContent =
      `Compared with Python${how} on “${visible(text)}”: the numbers differ by ` +
      `${most.toExponential(0)} at most.`;
    if (unrounded) {
      const change = largestDifference(ours, unrounded).toExponential(0);
      $("check").textContent +=
        " Weights are rounded to keep this page small; with those of the estimator, " +
        `the numbers would differ from these by ${change} at most.`;
    }
  }
}

// Between numbers and those that they should be, relative to those above 1.
function largestDifference(numbers, expected) {
  const differences = expected.map((x, i) => {
    return Math.abs(x - numbers[i]) / Math.max(1, Math.abs(x));
  });
  return Math.max(...differences);
}

function makeBar(label) {
  const row = make("tr"), name = make("th", "", label), cell = make("td");
  const track = make("div", "track");
  name.scope = "row";
  track.append(make("i"));
  track.setAttribute("aria-hidden", "true");
  cell.append(track, make("span", "number"));
  row.append(name, cell);
  return row;
}

// Paint numbers as the cells of a canvas, in the colours of the style sheet.
function paint(canvas, numbers, scale) {
  const style = getComputedStyle(document.documentElement);
  const [negative, zero, positive] = ["negative", "zero", "positive"].map((name) => {
    return style.getPropertyValue(`--${name}`).trim().split(" ").map(Number);
  });
  canvas.width = Math.max(1, numbers.length);
  canvas.height = 1;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, 1);
  numbers.forEach((number, j) => {
    const share = Math.min(1, Math.abs(number) / scale) ** 0.75;
    const end = number < 0 ? negative : positive;
    image.data.set([...zero.map((z, i) => z + share * (end[i] - z)), 255], 4 * j);
  });
  context.putImageData(image, 0, 0);
}
