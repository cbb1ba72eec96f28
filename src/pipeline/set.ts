/**
 * Changes to a pipeline from outside: `--set w4.with.weights.bits=3`.
 *
 * @module
 */

import type { Problem, SourcePlace } from "../base/errors.ts";
import type { Memos } from "../store/memos.ts";
import type { PipelineDocument } from "./document.ts";
import { isObject, parsePath, PathError } from "./paths.ts";
import type { Path } from "./source_text.ts";
import { readYamlValue } from "./yaml.ts";

/** Applies one `"path=value"`; a value is read as YAML. */
export async function applySetting(
  document: PipelineDocument,
  setting: string,
  memos?: Memos,
): Promise<Problem[]> {
  const equals = setting.indexOf("=");
  const [text, given] = equals < 0
    ? [setting, ""]
    : [setting.slice(0, equals), setting.slice(equals + 1)];
  const place: SourcePlace = {
    file: "--set",
    text: setting,
    line: 1,
    column: 1,
    length: text.length || 1,
  };
  if (equals < 1) {
    return [{
      message: `"--set ${setting}" is not of the form path=value`,
      place,
      hint: "Write it like --set w4.with.weights.bits=3",
    }];
  }
  try {
    const path = parsePath(text, document.value);
    requireContainer(document, path);
    document.set(path, await readYamlValue(given, memos), place);
    return [];
  } catch (error) {
    if (error instanceof SyntaxError) {
      return [{
        message: `Value of "--set ${setting}" cannot be read: ${error.message}`,
        place: { ...place, column: equals + 2, length: given.length || 1 },
      }];
    }
    if (!(error instanceof PathError)) throw error;
    const { message, hint } = error;
    return [{
      message: `"--set ${setting}" ${message}`,
      place,
      ...(hint === undefined ? {} : { hint }),
    }];
  }
}

/** What is above the value has to be a map or list that has room for it, or not be there at all. */
function requireContainer(document: PipelineDocument, path: Path): void {
  for (let length = 0; length < path.length; length++) {
    const value = document.get(path.slice(0, length));
    if (value === undefined || value === null) return;
    const step = path[length]!;
    const above = path.slice(0, length).join(".") || "the pipeline";
    if (Array.isArray(value)) {
      if (typeof step === "number" && step < value.length) continue;
      throw new PathError(
        `goes into ${above}, a list of ${value.length}, at "${step}"`,
        `Use a number from 0 to ${value.length - 1}, or set the whole list`,
      );
    }
    if (!isObject(value)) {
      throw new PathError(
        `goes into ${above}, which is ${JSON.stringify(value)}, not a map`,
      );
    }
  }
}
