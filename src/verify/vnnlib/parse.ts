/**
 * Parsing of VNN-LIB properties: https://www.vnnlib.org
 *
 * @module
 */

import { isDecimal } from "./decimal.ts";
import {
  errorIn,
  type Expression,
  type List,
  readExpressions,
  type Source,
  type Word,
} from "./expressions.ts";

/** An element of the input (X) or output (Y), in row-major order. */
export interface Variable {
  readonly kind: "variable";
  readonly of: "input" | "output";
  readonly index: number;
  readonly word: Word;
}

/** A decimal number as it is written. */
export interface Literal {
  readonly kind: "number";
  readonly text: string;
  readonly word: Word;
}

/** left ≤ right. What the file writes with >= has its sides swapped. */
export interface Comparison {
  readonly kind: "compare";
  readonly left: Variable | Literal;
  readonly right: Variable | Literal;
  readonly list: List;
}

/** All of them, or at least one. */
export interface Connective {
  readonly kind: "and" | "or";
  readonly formulas: readonly Formula[];
  readonly list: List;
}

/** What an assertion says. */
export type Formula = Comparison | Connective;

/** A file's content. */
export interface Declarations {
  /** How many elements the input has, and the output. */
  readonly inputs: number;
  readonly outputs: number;
  /** All hold. */
  readonly assertions: readonly Formula[];
}

/** What messages say that is understood. */
export const SUBSET =
  "Supported are declare-const and declare-fun of X_0, X_1, … and Y_0, Y_1, … as Real, and " +
  "assert of <= and >= between one variable and a number (or two outputs), joined by and, or";

/** @throws {UserError} If the text is malformed or not in {@linkcode SUBSET}; names line and column. */
export function parse(source: Source): Declarations {
  const parser = new Parser(source);
  const assertions: Formula[] = [];
  for (const list of readExpressions(source)) {
    const command = list.items[0];
    const name = command?.kind === "word" ? command.text : undefined;
    if (name === "declare-const" || name === "declare-fun") parser.declare(list);
    else if (name === "assert") {
      if (list.items.length !== 2) {
        throw errorIn(source, list, `assert takes one formula: it has ${list.items.length - 1}`);
      }
      assertions.push(parser.formula(list.items[1]!));
    } else {
      const shown = name === undefined ? "This" : `"${name}"`;
      throw errorIn(source, command ?? list, `${shown} is no command that is known`, SUBSET);
    }
  }
  return { ...parser.count(), assertions };
}

class Parser {
  readonly #source: Source;
  readonly #declared = new Map<string, Word>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** `(declare-const X_0 Real)` or `(declare-fun X_0 () Real)`. */
  declare(list: List): void {
    const [command, name, ...rest] = list.items;
    const isFunction = (command as Word).text === "declare-fun";
    if (isFunction) {
      const parameters = rest.shift();
      if (parameters?.kind !== "list" || parameters.items.length > 0) {
        throw this.#error(parameters ?? list, "A declared function must have no parameters: ()");
      }
    }
    const [sort, ...extra] = rest;
    if (name?.kind !== "word" || sort === undefined || extra.length > 0) {
      throw this.#error(list, "A declaration has a name and a sort, such as X_0 and Real");
    }
    if (sort.kind !== "word" || sort.text !== "Real") {
      throw this.#error(sort, `The sort of "${name.text}" must be Real`, SUBSET);
    }
    if (!/^[XY]_(0|[1-9]\d{0,8})$/.test(name.text)) {
      throw this.#error(name, `"${name.text}" is not named like X_0 or Y_0`, SUBSET);
    }
    if (this.#declared.has(name.text)) {
      throw this.#error(name, `"${name.text}" is declared twice`);
    }
    this.#declared.set(name.text, name);
  }

  formula(expression: Expression): Formula {
    if (expression.kind === "word") {
      throw this.#error(expression, `"${expression.text}" is not a formula`, SUBSET);
    }
    const [operator, ...operands] = expression.items;
    const name = operator?.kind === "word" ? operator.text : undefined;
    switch (name) {
      case "and":
      case "or":
        if (operands.length === 0) {
          throw this.#error(expression, `"${name}" must have at least one formula`);
        }
        return {
          kind: name,
          formulas: operands.map((operand) => this.formula(operand)),
          list: expression,
        };
      case "<=":
      case ">=": {
        if (operands.length !== 2) {
          throw this.#error(expression, `"${name}" compares two: it has ${operands.length}`);
        }
        const [first, second] = operands.map((operand) => this.#term(operand));
        const [left, right] = name === "<=" ? [first!, second!] : [second!, first!];
        return { kind: "compare", left, right, list: expression };
      }
      default: {
        const shown = name === undefined ? "This" : `"${name}"`;
        throw this.#error(operator ?? expression, `${shown} is no operator that is known`, SUBSET);
      }
    }
  }

  /** How many elements are declared; they must be all from 0 on. */
  count(): { inputs: number; outputs: number } {
    const count = (letter: "X" | "Y") => {
      const words = [...this.#declared.values()].filter(({ text }) => text.startsWith(letter));
      for (const word of words) {
        if (Number(word.text.slice(2)) >= words.length) {
          const missing = words.findIndex((_, index) => !this.#declared.has(`${letter}_${index}`));
          throw this.#error(word, `"${word.text}" is declared, and "${letter}_${missing}" is not`);
        }
      }
      return words.length;
    };
    return { inputs: count("X"), outputs: count("Y") };
  }

  #term(expression: Expression): Variable | Literal {
    if (expression.kind === "list") {
      throw this.#error(
        expression,
        "A side of a comparison is neither a variable nor a number",
        SUBSET,
      );
    }
    const { text } = expression;
    if (isDecimal(text)) {
      if (!Number.isFinite(Number(text))) {
        throw this.#error(expression, `Number ${text} is beyond the range of float64`);
      }
      return { kind: "number", text, word: expression };
    }
    if (!this.#declared.has(text)) {
      const isName = /^[A-Za-z]/.test(text);
      throw this.#error(
        expression,
        isName ? `"${text}" is not declared` : `"${text}" is not a number`,
        isName ? "Declare it before it is used: (declare-const X_0 Real)" : undefined,
      );
    }
    const of = text.startsWith("X") ? "input" : "output";
    return { kind: "variable", of, index: Number(text.slice(2)), word: expression };
  }

  #error(expression: Expression, message: string, hint?: string) {
    return errorIn(this.#source, expression, message, hint);
  }
}
