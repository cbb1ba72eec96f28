/**
 * Reads a command line that is right.
 *
 * What it does not read (mistakes, help, completion, rare ways of writing) is left to `grammar/optique.ts`, which takes
 * longer to load than a whole cached run.
 *
 * @module
 */

import { type Action, type Command, type CommandGroup, isGroup, type Parameter } from "./syntax.ts";

/**
 * Finds out what a command line asks for.
 *
 * @returns `undefined` if it is not plainly right.
 */
export function readRight(
  commands: readonly (Command | CommandGroup)[],
  args: readonly string[],
): Action | undefined {
  const [word, ...rest] = args;
  const entry = commands.find(({ name }) => name === word);
  if (entry === undefined) return undefined;
  if (isGroup(entry)) return readRight(entry.commands, rest);
  const values = readValues(entry, rest);
  return values === undefined ? undefined : entry.action(values);
}

function readValues(
  { takes }: Command,
  args: readonly string[],
): Record<string, unknown> | undefined {
  const given = new Map<string, unknown[]>();
  const positions = Object.entries(takes).filter(([, { names }]) => names.length === 0);
  const byName = new Map(
    Object.entries(takes).flatMap(([key, parameter]) =>
      parameter.names.map((name) => [name, [key, parameter] as const] as const)
    ),
  );
  const give = (key: string, { kind, many }: Parameter, text: string | undefined): boolean => {
    const list = given.get(key) ?? [];
    if (list.length > 0 && !many) return false;
    try {
      list.push(kind === undefined ? true : kind.parse(text!));
    } catch (error) {
      if (error instanceof SyntaxError) return false;
      throw error;
    }
    given.set(key, list);
    return true;
  };
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (!word.startsWith("-")) {
      const free = positions.find(([key, { many }]) => many || !given.has(key));
      if (free === undefined || !give(...free, word)) return undefined;
      continue;
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const found = byName.get(equals < 0 ? word : word.slice(0, equals));
    if (found === undefined) return undefined;
    const isFlag = found[1].kind === undefined;
    if (isFlag && equals >= 0) return undefined;
    const text = isFlag ? undefined : equals >= 0 ? word.slice(equals + 1) : args[++at];
    if (!isFlag && (text === undefined || (equals < 0 && text.startsWith("-")))) return undefined;
    if (!give(...found, text)) return undefined;
  }
  const values: Record<string, unknown> = {};
  for (const [key, { many, required, fallback }] of Object.entries(takes)) {
    const list = given.get(key);
    if (list === undefined && required) return undefined;
    values[key] = list === undefined ? fallback : many ? list : list[0];
  }
  return values;
}
