// The vectors of tokens, as a map on which those that have been read are lit.
"use strict";

const MOST_ON_MAP = 500; // tokens that are drawn, those of the longest vectors
const [HEIGHT, MARGIN] = [400, 26];

class EmbeddingMap {
  #marks = new Map(); // by id, what is drawn

  constructor(svg, { labels, ids, places, norms }, onChoose) {
    this.svg = svg;
    this.onChoose = onChoose;
    this.path = makeInSvg("polyline", {});
    svg.append(this.path);
    this.width = svg.clientWidth < 480 ? HEIGHT : 1.6 * HEIGHT;
    svg.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    const at = fitted(places.values, this.width);
    this.known = new Map(); // by id
    ids.values.forEach((id, i) => this.known.set(id, { label: labels[i], at: at[i] }));
    const order = [...labels.keys()].sort((i, j) => norms.values[j] - norms.values[i]);
    const taken = [];
    order.slice(0, MOST_ON_MAP).forEach((i) => {
      this.add(ids.values[i], takesRoom(at[i], visible(labels[i]), taken));
    });
  }

  // Draw a token, with its label or as a dot.
  add(id, hasLabel) {
    const { label, at: [x, y] } = this.known.get(id);
    const mark = makeInSvg("g", { class: hasLabel ? "" : "dot" });
    const half = halfOf(visible(label)); // long labels near an edge stay within it
    const anchor = x < half ? "start" : x > this.width - half ? "end" : "middle";
    mark.append(
      makeInSvg("title", {}, visible(label)),
      makeInSvg("circle", { cx: x, cy: y, r: hasLabel ? 17 : 3 }),
      makeInSvg("text", { x, y, "text-anchor": anchor }, visible(label))
    );
    mark.addEventListener("click", () => this.onChoose(label));
    this.svg.append(mark);
    this.#marks.set(id, mark);
    return mark;
  }

  // Light the tokens of some steps, by their ids.
  light(ids) {
    const lit = ids.filter((id) => this.known.has(id));
    this.#marks.forEach((mark) => mark.classList.remove("lit", "now"));
    new Set(lit).forEach((id) => {
      const mark = this.#marks.get(id) ?? this.add(id, false);
      mark.classList.add("lit");
      mark.classList.toggle("now", id === ids.at(-1));
      this.svg.append(mark); // on top
    });
    const points = lit.map((id) => this.known.get(id).at.join());
    this.path.setAttribute("points", points.join(" "));
    const labels = lit.map((id) => visible(this.known.get(id).label));
    const what = `Map of ${this.known.size} vectors.`;
    const which = lit.length > 0 ? ` Lit: ${labels.join(", ")}.` : "";
    this.svg.setAttribute("aria-label", what + which);
  }
}

function makeInSvg(name, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.textContent = text;
  return element;
}

// Pairs of numbers as places on a map of some width, in proportion.
function fitted(values, width) {
  const [xs, ys] = [0, 1].map((side) => values.filter((_, i) => i % 2 === side));
  const [[left, right], [bottom, top]] = [xs, ys].map((side) => [
    side.reduce((a, b) => Math.min(a, b)),
    side.reduce((a, b) => Math.max(a, b)),
  ]);
  const scale = Math.min(
    (width - 2 * MARGIN) / (right - left || 1),
    (HEIGHT - 2 * MARGIN) / (top - bottom || 1)
  );
  return Array.from(xs, (x, i) => [
    width / 2 + scale * (x - (left + right) / 2),
    HEIGHT / 2 - scale * (ys[i] - (bottom + top) / 2),
  ]);
}

// Half the width of a label.
const halfOf = (label) => 5.5 * label.length + 2;

// Whether there is room for a label among those that have been taken; it is then taken.
function takesRoom([x, y], label, taken) {
  const half = halfOf(label);
  const isFree = taken.every(([u, v, other]) => {
    return Math.abs(u - x) > half + other || Math.abs(v - y) > 15;
  });
  if (isFree) {
    taken.push([x, y, half]);
  }
  return isFree;
}
