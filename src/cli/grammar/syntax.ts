/**
 * Commands as data: what a command is called, what it takes, what it says of itself.
 *
 * @module
 */

import type { ExitCode } from "../exit_code.ts";
import type { Streams } from "../output/streams.ts";
import type { ValueKind } from "./values.ts";

/** What a command line asks for. */
export type Action = (streams: Streams) => Promise<ExitCode>;

/** An option or argument of a command; `V` is what the command gets. */
export interface Parameter<V = unknown> {
  /** `--jobs`, `-j`; none for an argument, which is told by its position. */
  readonly names: readonly string[];
  /** Absent for a flag. */
  readonly kind?: ValueKind<unknown>;
  /** Whether it may be given several times. */
  readonly many: boolean;
  readonly required: boolean;
  readonly description: string;
  /** What the command gets if it is not given. */
  readonly fallback: V;
}

/** Whether something is wanted or not. */
export function flag(names: string, description: string): Parameter<boolean> {
  return { names: names.split(" "), many: false, required: false, description, fallback: false };
}

/** An option with a value. */
export function option<T>(
  names: string,
  kind: ValueKind<T>,
  description: string,
): Parameter<T | undefined> {
  const fallback = undefined as T | undefined;
  return { names: names.split(" "), kind, many: false, required: false, description, fallback };
}

/** An option that may be given several times. */
export function options<T>(
  names: string,
  kind: ValueKind<T>,
  description: string,
): Parameter<readonly T[]> {
  return { names: names.split(" "), kind, many: true, required: false, description, fallback: [] };
}

/** An argument that has to be given. */
export function argument<T>(kind: ValueKind<T>, description: string): Parameter<T> {
  const fallback = undefined as T;
  return { names: [], kind, many: false, required: true, description, fallback };
}

/** An argument that may be left out. */
export function optionalArgument<T>(
  kind: ValueKind<T>,
  description: string,
): Parameter<T | undefined> {
  return { ...argument<T | undefined>(kind, description), required: false };
}

/** Any number of arguments. */
export function someArguments<T>(kind: ValueKind<T>, description: string): Parameter<readonly T[]> {
  return { names: [], kind, many: true, required: false, description, fallback: [] };
}

type Takes = Readonly<Record<string, Parameter>>;

/** The values of parameters, by the name of each. */
export type Values<T extends Takes> = {
  readonly [N in keyof T]: T[N] extends Parameter<infer V> ? V : never;
};

/** What help says under a command. */
export type Example = readonly [meaning: string, call: string];

interface Named {
  readonly name: string;
  /** One line, in the imperative. */
  readonly brief: string;
  readonly description: string;
  /** Calls without the program's name. */
  readonly examples: readonly Example[];
}

/** A command. */
export interface Command extends Named {
  readonly takes: Takes;
  /** @param values By the names in `takes`. */
  action(values: Readonly<Record<string, unknown>>): Action;
}

/** Commands that share their first word. */
export interface CommandGroup extends Named {
  readonly commands: readonly Command[];
}

/** Declares a command. */
export function command<T extends Takes>(
  declaration: Named & { readonly takes: T; action(values: Values<T>): Action },
): Command {
  // What is read by `takes` has the types of `takes`.
  return { ...declaration, action: (values) => declaration.action(values as Values<T>) };
}

/** Whether a word stands for several commands. */
export function isGroup(entry: Command | CommandGroup): entry is CommandGroup {
  return "commands" in entry;
}
