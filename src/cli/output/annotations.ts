/**
 * Annotations that GitHub Actions shows at the lines of a file.
 *
 * @module
 */

import { relative, resolve } from "../../base/path.ts";
import type { Problem } from "../../base/errors.ts";
import { variable } from "../environment.ts";
import type { Streams } from "./streams.ts";

/** Shows problems at their lines, if GitHub Actions is what runs this. */
export function annotate(problems: readonly Problem[], { err }: Streams): void {
  if (Deno.env.get("GITHUB_ACTIONS") === "true") {
    err.lines(...annotationLines(problems, variable("GITHUB_WORKSPACE") ?? Deno.cwd()));
  }
}

/**
 * Annotations of problems that have a place: `::error file=…,line=…::…`.
 *
 * @param root The folder of the repository.
 */
export function annotationLines(problems: readonly Problem[], root: string): string[] {
  return problems.flatMap(({ message, place, hint }) => {
    if (place === undefined) return [];
    const properties = [`file=${escapeProperty(relative(root, resolve(place.file)))}`];
    if (place.line !== undefined) properties.push(`line=${place.line}`);
    if (place.column !== undefined) properties.push(`col=${place.column}`);
    const text = hint === undefined ? message : `${message}\n${hint}`;
    return [`::error ${properties.join(",")}::${escapeData(text)}`];
  });
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
