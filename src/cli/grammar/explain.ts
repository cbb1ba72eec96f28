/**
 * Help, the version, completion, and mistakes with what was probably meant.
 *
 * Together with `optique.ts`, the only module that knows Optique.
 *
 * @module
 */

import { runParser } from "@optique/core/facade";
import { formatMessage, type Message, message } from "@optique/core/message";
import { suggestSync } from "@optique/core/parser";
import { suggest } from "../../base/suggest.ts";
import { PROGRAM, VERSION } from "../../base/version.ts";
import { exampleLines } from "../examples.ts";
import { ExitCode } from "../exit_code.ts";
import { type Action, commands } from "../grammar.ts";
import { problemsDocument } from "../output/json_documents.ts";
import type { Streams } from "../output/streams.ts";
import { parserOf } from "./optique.ts";

const parser = parserOf(commands);

/**
 * Reads any command line. Help, the version, completion and mistakes are printed here.
 *
 * @returns What to do, or the exit code if there is nothing left to do.
 */
export function explainCommandLine(
  given: readonly string[],
  { out, err }: Streams,
): Action | ExitCode {
  const args = given.length === 0 ? ["--help"] : given;
  let exit: ExitCode | undefined;
  const action = runParser<typeof parser, undefined, undefined>(parser, PROGRAM, args, {
    brief: message`Quantizes neural networks and shows what that costs`,
    description:
      message`A pipeline is a YAML file that chains stages: they quantize, learn roundings, search widths under a budget, measure, prove bounds, export. Results are cached by content: only what changed is ever computed again. With --debug (or BITBOUND_DEBUG=1), errors say where they come from. Plugins may write only the store and the exports; with --trust-plugins, they may do what the program may.`,
    usageLine: [{ type: "literal", value: "COMMAND" }, { type: "literal", value: "[OPTIONS]" }],
    help: {
      option: { names: ["-h", "--help"] },
      onShow() {
        out.lines(...exampleLines(args, out.style));
        exit = ExitCode.done;
        return undefined;
      },
    },
    version: {
      option: { names: ["-V", "--version"] },
      value: VERSION,
      onShow: () => void (exit = ExitCode.done),
    },
    completion: {
      command: { names: ["completions"] },
      onShow: () => void (exit = ExitCode.done),
    },
    onError(_code, error) {
      if (args.includes("--json")) {
        const problem = { message: formatMessage(error), hint: hintFor(args, error) };
        out.lines(JSON.stringify(problemsDocument([problem]), null, 2));
      }
      err.lines(`${err.style.cyan("→")} ${hintFor(args, error)}`);
      exit = ExitCode.usage;
      return undefined;
    },
    aboveError: "none",
    colors: out.style.bold("x") !== "x",
    maxWidth: Math.min(100, out.columns()),
    termWidth: "auto",
    commandList: "top-level",
    stdout: (line) => out.lines(line),
    stderr: (line) => err.lines(line.replace(/^Error: /, `${err.style.red("error")}: `)),
  }) as Action | undefined;
  return exit ?? action ?? ExitCode.usage;
}

/** What was probably meant, else where to look. */
function hintFor(args: readonly string[], error: Message): string {
  const names = error.flatMap((term) => term.type === "optionName" ? [term.optionName] : []);
  const at = args.findIndex((each) => names.includes(each));
  if (at >= 0) {
    const wrong = args[at]!;
    const start = wrong.startsWith("-") ? "--" : "";
    const [first = start, ...rest] = [...args.slice(0, at), start];
    const known = suggestSync(parser, [first, ...rest])
      .flatMap((each) => each.kind === "literal" ? [each.text] : []);
    const meant = suggest(wrong, [
      ...known,
      ...(at === 0 ? ["completions", "--version", "--help"] : []),
    ]);
    if (meant !== undefined) return `Did you mean ${meant}?`;
  }
  const words = args.filter((each) => !each.startsWith("-")).slice(0, args[0] === "cache" ? 2 : 1);
  const command = words.length > 0 && isCommand(words[0]!) ? `${words.join(" ")} ` : "";
  return `${PROGRAM} ${command}--help says how it is used`;
}

function isCommand(name: string): boolean {
  return suggestSync(parser, [name]).some((each) => each.kind === "literal" && each.text === name);
}
