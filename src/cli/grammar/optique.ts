/**
 * The grammar as Optique takes it: for help, completion and mistakes.
 *
 * Together with `command_line.ts`, the only module that knows Optique.
 *
 * @module
 */

import { object, or } from "@optique/core/constructs";
import type { Message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, command, option } from "@optique/core/primitives";
import type { Usage } from "@optique/core/usage";
import type { ValueParser } from "@optique/core/valueparser";
import { type Action, type Command, type CommandGroup, isGroup, type Parameter } from "./syntax.ts";
import type { ValueKind } from "./values.ts";

type Name = Parameters<typeof option>[0];

/** A parser of whole command lines. */
export function parserOf(
  commands: readonly (Command | CommandGroup)[],
): Parser<"sync", Action, unknown> {
  const parsers = commands.map((entry): Parser<"sync", Action, unknown> => {
    const inside = isGroup(entry) ? parserOf(entry.commands) : commandParser(entry);
    const { name, brief, description } = entry;
    return command(name, inside, {
      brief: plain(brief),
      description: plain(description),
      ...(!isGroup(entry) && { usageLine: usageOf(entry) }),
    });
  });
  const [first, ...rest] = parsers;
  return or(first!, ...rest) as Parser<"sync", Action, unknown>;
}

/** Arguments before options, which the list below spells out. */
function usageOf({ takes }: Command): Usage {
  const parameters = Object.values(takes);
  const words = parameters.filter(({ names }) => names.length === 0)
    .map(({ kind, many, required }) => {
      const word = `${kind!.metavar}${many ? "..." : ""}`;
      return required ? word : `[${word}]`;
    });
  if (parameters.some(({ names }) => names.length > 0)) words.push("[OPTIONS]");
  return words.map((value) => ({ type: "literal", value }));
}

function commandParser({ takes, action }: Command): Parser<"sync", Action, unknown> {
  const fields = Object.fromEntries(
    Object.entries(takes).map(([key, parameter]) => [key, parameterParser(parameter)]),
  );
  return map(object(fields), (values) => action(values)) as Parser<"sync", Action, unknown>;
}

function parameterParser(parameter: Parameter): Parser<"sync", unknown, unknown> {
  const { names, kind, many, required, fallback } = parameter;
  const facts = { description: plain(parameter.description) };
  if (kind === undefined) return option(...names as [Name], facts);
  const value = valueParser(kind);
  const single: Parser<"sync", unknown, unknown> = names.length === 0
    ? argument(value, facts)
    : option(...names as [Name], value, facts);
  if (many) return multiple(single);
  if (required) return single;
  return fallback === undefined ? optional(single) : withDefault(single, fallback);
}

function valueParser(kind: ValueKind<unknown>): ValueParser<"sync", unknown> {
  const { metavar, choices, offers } = kind;
  return {
    mode: "sync",
    metavar: metavar as "VALUE",
    placeholder: "",
    parse(input) {
      try {
        return { success: true, value: kind.parse(input) };
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        return { success: false, error: plain(`${error.message}.`) };
      }
    },
    format: String,
    *suggest(prefix) {
      if (offers !== undefined) {
        const { type, extensions } = offers;
        yield { kind: "file", pattern: prefix, type, ...(extensions && { extensions }) };
      }
      for (const text of choices ?? []) {
        if (text.startsWith(prefix)) yield { kind: "literal", text };
      }
    },
  };
}

function plain(text: string): Message {
  return [{ type: "text", text }];
}
