/**
 * Turns what does not fit a schema into problems with a place.
 *
 * @module
 */

import type { Problem } from "../base/errors.ts";
import { type Issue, pathText } from "../registry/validate.ts";
import type { PipelineDocument } from "./document.ts";
import type { Path } from "./source_text.ts";

/** A part of a pipeline as messages name it: `Stage "w4": with.weights.bits`, `inputs.test.take`. */
export function label(path: Path, ids: readonly string[]): string {
  const [first, index, ...rest] = path;
  if (first === undefined) return "The pipeline";
  if (first !== "stages" || typeof index !== "number") return pathText(path);
  const id = ids[index] ?? `stages[${index}]`;
  const stage = id.startsWith("stages[") ? id : `Stage "${id}"`;
  return rest.length === 0 ? stage : `${stage}: ${pathText(rest)}`;
}

/** An issue as a problem. */
export function issueProblem(
  { path, at, subject, predicate, hint }: Issue,
  document: PipelineDocument,
  ids: readonly string[],
): Problem {
  return {
    message: `${label(subject, ids)} ${predicate}`,
    place: document.place(path, at),
    ...(hint !== undefined && { hint }),
  };
}
