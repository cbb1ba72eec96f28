/**
 * Help for who names a stage's inputs among its parameters.
 *
 * @module
 */

import type { JsonValue } from "../base/canonical_json.ts";
import type { Issue } from "../registry/validate.ts";

/** For a key under `with` that is not there: what it stands for is a port's, or it is a port itself. */
export function portHint(
  { path, subject, at }: Issue,
  depth: number,
  given: Readonly<Record<string, JsonValue>>,
  ports: Readonly<Record<string, unknown>>,
): string | undefined {
  if (at !== "key" || path.length === subject.length) return undefined;
  const key = path.at(-1);
  const value = path.slice(depth).reduce<JsonValue | undefined>(
    (inside, each) => (inside as Record<string | number, JsonValue> | undefined)?.[each],
    given,
  );
  const port = [key, value].find((name) => typeof name === "string" && Object.hasOwn(ports, name));
  if (port === undefined) return undefined;
  const source = typeof value === "string" && value !== port ? value : "inputs.NAME";
  return `Inputs are not named under with: "${port}" takes the nearest that fits, or what stands beside with: ` +
    `in: { ${port}: ${source} }`;
}
