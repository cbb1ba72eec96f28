/**
 * What can stand after an option: paths, numbers, lengths of time, one of several words.
 *
 * @module
 */

/** A sort of value. */
export interface ValueKind<T> {
  /** What stands for it in help, such as `N`. */
  readonly metavar: string;
  /**
   * Reads a value.
   *
   * @throws {SyntaxError} If it is none; says what was expected.
   */
  parse(text: string): T;
  /** All values that there are, where they are few. */
  readonly choices?: readonly string[];
  /** For a path: what shells should offer. */
  readonly offers?: {
    readonly type: "file" | "directory";
    readonly extensions?: readonly string[];
  };
}

/** A path, completed by the shell. */
export function path(metavar: string, extensions?: readonly string[]): ValueKind<string> {
  return {
    metavar,
    parse(text) {
      if (text === "") throw new SyntaxError("The path must not be empty");
      return text;
    },
    offers: {
      type: metavar === "DIR" ? "directory" : "file",
      ...(extensions !== undefined && { extensions }),
    },
  };
}

/** Any text. */
export function text(metavar: string): ValueKind<string> {
  return {
    metavar,
    parse(given) {
      if (given === "") throw new SyntaxError(`${metavar} must not be empty`);
      return given;
    },
  };
}

/** An integer of at least `least`. */
export function integer(metavar: string, least: number): ValueKind<number> {
  return {
    metavar,
    parse(given) {
      if (!/^[+-]?\d+$/.test(given)) {
        throw new SyntaxError(`Expected an integer, but got "${given}"`);
      }
      const value = Number(given);
      if (value >= least && Number.isSafeInteger(value)) return value;
      throw new SyntaxError(
        `Expected an integer greater than or equal to ${least}, but got "${given}"`,
      );
    },
  };
}

/** One of some words. */
export function choice<const C extends string>(
  metavar: string,
  choices: readonly C[],
): ValueKind<C> {
  return {
    metavar,
    choices,
    parse(given) {
      if ((choices as readonly string[]).includes(given)) return given as C;
      throw new SyntaxError(`Expected one of ${choices.join(", ")}, but got "${given}"`);
    },
  };
}

const MILLISECONDS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A length of time such as `14d`, in milliseconds. */
export function duration(): ValueKind<number> {
  return {
    metavar: "TIME",
    parse(given) {
      const found = given.match(/^(\d+(?:\.\d+)?)([mhdw])$/);
      if (found !== null) {
        return Number(found[1]) * MILLISECONDS[found[2] as keyof typeof MILLISECONDS];
      }
      throw new SyntaxError(`Expected a time such as "14d", "12h" or "30m", but got "${given}"`);
    },
  };
}

const BYTES = { "": 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 } as const;

/** An amount of memory such as `512M` or `2Gi`, in bytes. */
export function bytes(): ValueKind<number> {
  return {
    metavar: "SIZE",
    parse(given) {
      const found = given.match(/^(\d+(?:\.\d+)?) ?(k|M|G|Ki|Mi|Gi|)B?$/);
      const size = found === null
        ? 0
        : Math.floor(Number(found[1]) * BYTES[found[2] as keyof typeof BYTES]);
      if (size >= 1 && Number.isSafeInteger(size)) return size;
      throw new SyntaxError(`Expected a size such as "512M" or "2Gi", but got "${given}"`);
    },
  };
}
