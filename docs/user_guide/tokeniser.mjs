// What an exported network reads of strings and tokens, without skrnn.

export class Tokeniser {
  // `reading` is JSON.parse(metadata.skrnn).reading
  constructor(reading) {
    Object.assign(this, reading);
    const { word, space, letter, upper, digit, combining } = reading.classes;
    const anyOf = (ranges) => new RegExp(`[${ranges}]`, "u");
    checkIntegers([this.grams, this.wide?.grams ?? []].flat(3));
    this.idOf = new Map(this.grams.map((gram, i) => [keyOf(gram), this.ids[i]]));
    if (this.kind === "words") {
      this.word = new RegExp(`[${word}]+|[^${word}${space}]`, "gu");
    }
    if (combining) {
      this.combining = anyOf(combining);
    }
    if (this.subwords) {
      [this.letter, this.upper, this.digit] = [letter, upper, digit].map(anyOf);
      const { names, ids } = this.subwords;
      this.idOfSubword = new Map(names.map((name, i) => [name, ids[i]]));
      this.idOfSubword.set(null, this.absent);
    }
    if (this.wide) {
      const { grams, columns } = this.wide;
      this.columnOf = new Map(grams.map((gram, i) => [keyOf(gram), columns[i]]));
    }
  }

  // The inputs for an array of sequences, at least one, as type, data and dims of ort.Tensor.
  inputs(X) {
    if (X.length === 0) { // without any, onnxruntime crashes
      throw new RangeError("X is empty: an array of sequences was expected");
    }
    X = X.map((x) => this.tokens(x));
    const ids = X.map((x) => this.idsOf(x));
    const nSteps = mostOf(X.map((x) => x.length));
    const widths = ids.flat().map((ofStep) => ofStep.length);
    const width = this.n_at_a_step ?? mostOf(widths);
    const dims = [X.length, nSteps, ...(this.n_at_a_step === 1 ? [] : [width])];
    const padded = new BigInt64Array(X.length * nSteps * width);
    ids.forEach((ofX, i) => ofX.forEach((ofStep, t) => ofStep.forEach((id, k) => {
      padded[(i * nSteps + t) * width + k] = BigInt(id);
    })));
    const lengths = BigInt64Array.from(X, (x) => BigInt(x.length));
    return {
      ids: { type: "int64", data: padded, dims },
      lengths: { type: "int64", data: lengths, dims: [X.length] },
      ...(this.wide ? this.wideInputs(X) : {}),
    };
  }

  // The tokens of a sequence.
  tokens(x) {
    if (this.kind === "text" || this.kind === "words") {
      x = this.lowercase ? x.toLowerCase() : x;
      if (this.strip_accents !== null) {
        const isKept = this.strip_accents === "ascii"
          ? (character) => character <= "\x7f"
          : (character) => !this.combining.test(character);
        x = Array.from(x.normalize("NFKD")).filter(isKept).join("");
      }
    }
    x = this.kind === "words" ? x.match(this.word) ?? [] : Array.from(x);
    if (this.max_length === null || x.length <= this.max_length) {
      return x;
    }
    if (this.overlong !== "first" && this.overlong !== "last") {
      throw new RangeError(`${x.length} steps, but max_length is ${this.max_length}`);
    }
    const isFirst = this.overlong === "first";
    return isFirst ? x.slice(0, this.max_length) : x.slice(-this.max_length);
  }

  // By step, the ids of the n-grams that end there, then those of subwords.
  idsOf(x) {
    if (this.kind === "features") {
      const ids = (step) => namesOf(step).map((name) => this.idOf.get(keyOf([name])));
      return x.map((step) => ids(step).filter((id) => id !== undefined));
    }
    const [least, most] = this.ngram_range;
    return x.map((token, t) => {
      const ids = [];
      for (let n = least; n <= most; n++) {
        const gram = x.slice(Math.max(0, t + 1 - n), t + 1);
        ids.push(gram.length < n ? this.absent : this.idOf.get(keyOf(gram)) ?? 0);
      }
      const names = this.subwords ? this.subwordsOf(token) : [];
      return ids.concat(names.map((name) => this.idOfSubword.get(name) ?? 0));
    });
  }

  // A token in lowercase, its beginnings, endings, shape and pattern.
  subwordsOf(token) {
    const { lengths, longest_pattern: most } = this.subwords;
    if (typeof token !== "string") {
      return Array(2 + 2 * lengths.length + (most > 0)).fill(null);
    }
    const lower = token.toLowerCase(), letters = Array.from(lower);
    const ofLengths = (write) => lengths.map((n) => (letters.length > n ? write(n) : null));
    const kinds = Array.from(token, (character) => this.kindOf(character));
    return [
      `<${lower}>`,
      ...ofLengths((n) => `<${letters.slice(0, n).join("")}`),
      ...ofLengths((n) => `${letters.slice(-n).join("")}>`),
      kinds.filter((kind, i) => kind !== kinds[i - 1]).join(""),
      ...(most ? [`~${kinds.slice(0, most).join("")}`] : []),
    ];
  }

  // X for an uppercase letter, x for any other, 0 for a digit.
  kindOf(character) {
    if (this.letter.test(character)) {
      return this.upper.test(character) ? "X" : "x";
    }
    return this.digit.test(character) ? "0" : character;
  }

  // Which n-grams occur in each sequence, and how often.
  wideInputs(X) {
    const counts = X.map((x) => {
      const found = new Map();
      this.columnsOf(x).forEach((k) => found.set(k, (found.get(k) ?? 0) + 1));
      return [...found];
    });
    const width = mostOf(counts.map((pairs) => pairs.length));
    const dims = [X.length, width];
    const columns = new BigInt64Array(X.length * width);
    const numbers = new Float32Array(X.length * width);
    counts.forEach((pairs, i) => pairs.forEach(([column, count], k) => {
      columns[i * width + k] = BigInt(column);
      numbers[i * width + k] = count;
    }));
    return {
      columns: { type: "int64", data: columns, dims },
      counts: { type: "float32", data: numbers, dims },
    };
  }

  // The columns of the n-grams of a sequence that the wide path reads.
  columnsOf(x) {
    const { longest, n_places: nPlaces, has_ends: hasEnds } = this.wide;
    const grams = gramsOf(hasEnds ? ["\x02", ...x, "\x03"] : x, longest);
    if (nPlaces > 0) { // pairs [place, token], and of few places those that are apart
      const placed = x.map((token, place) => [place, token]).slice(0, nPlaces);
      grams.push(...gramsOf(placed, longest));
      if (nPlaces <= 8) {
        placed.forEach((p, i) => placed.slice(i + 2).forEach((q) => grams.push([p, q])));
      }
    }
    const columns = grams.map((gram) => this.columnOf.get(keyOf(gram)));
    return columns.filter((column) => column !== undefined);
  }
}

// Integers from 2^53 on are rounded by JSON.parse, so that two may have become one.
function checkIntegers(tokens) {
  if (tokens.some((token) => Number.isInteger(token) && !Number.isSafeInteger(token))) {
    throw new RangeError("JavaScript rounds some of these tokens; fit on strings.");
  }
}

// The largest of numbers, at least 1; Math.max cannot have hundreds of thousands.
const mostOf = (numbers) => numbers.reduce((most, n) => Math.max(most, n), 1);

// An n-gram as the key of a Map.
const keyOf = (gram) => JSON.stringify(Array.from(gram));

// All n-grams of a sequence.
function gramsOf(x, longest) {
  const grams = [];
  for (let end = 1; end <= x.length; end++) {
    for (let first = Math.max(0, end - longest); first < end; first++) {
      grams.push(x.slice(first, end));
    }
  }
  return grams;
}

// The names of the features of a step.
function namesOf(step) {
  if (Array.isArray(step)) {
    return [...new Set(step)];
  }
  const pairs = Object.entries(step).filter(([, v]) => v || typeof v === "string");
  return [...new Set(pairs.map(([k, v]) => (typeof v === "string" ? `${k}:${v}` : k)))];
}
