// How what is typed becomes tokens, and tokens what the network reads.
"use strict";

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
      const idOf = (name) => (name === null ? absent : this.subwordIds.get(name) ?? 0);
      return ids.concat(names.map(idOf));
    });
  }

  // Its lowercase form, beginnings, endings and shape; null for those that it has not.
  subwordsOf(token) {
    const { lengths } = this.subwords;
    if (this.areIntegers) {
      return Array(2 + 2 * lengths.length).fill(null);
    }
    const lower = token.toLowerCase(), characters = Array.from(lower);
    const part = (first, end) => characters.slice(first, end).join("");
    const ofLengths = (write) => {
      return lengths.map((n) => (characters.length > n ? write(n) : null));
    };
    const before = ofLengths((n) => `<${part(0, n)}`);
    const after = ofLengths((n) => `${part(-n)}>`);
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
