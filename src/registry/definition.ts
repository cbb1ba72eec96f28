/**
 * Checks that something that claims to be a stage's definition is one: plugins may be written without types.
 *
 * @module
 */

import { ARTIFACT_KINDS } from "./artifact.ts";
import { asSchema } from "./schema.ts";
import type { AnyStage } from "./stage.ts";

type Fields = Readonly<Record<string, unknown>>;

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const PORT = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** What is wrong with a stage's definition, one sentence each. */
export function definitionProblems(definition: unknown): string[] {
  if (!isFields(definition)) return [`A stage must be an object: current value is ${definition}`];
  const { name } = definition;
  if (typeof name !== "string" || !NAME.test(name)) {
    return [
      `A stage's name must be lower-case words joined by "-": current value is ${show(name)}`,
    ];
  }
  const problems: string[] = [];
  const require = (holds: boolean, field: keyof AnyStage, wanted: string) => {
    if (holds) return;
    problems.push(
      `Stage "${name}": ${field} must be ${wanted}: current value is ${show(definition[field])}`,
    );
  };
  const { version } = definition;
  require(
    Number.isSafeInteger(version) && (version as number) > 0,
    "version",
    "an integer of at least 1",
  );
  require(typeof definition.summary === "string", "summary", "a string");
  require(typeof definition.description === "string", "description", "a string");
  require(typeof definition.engine === "boolean", "engine", "true or false");
  require(typeof definition.load === "function", "load", "a function");
  for (const hook of ["ignores", "omits", "validate", "rehearse", "publish"] as const) {
    require(["function", "undefined"].includes(typeof definition[hook]), hook, "a function");
  }
  return [...problems, ...portProblems(name, definition), ...schemaProblems(name, definition)];
}

function portProblems(name: string, definition: Fields): string[] {
  const problems: string[] = [];
  for (const side of ["inputs", "outputs"] as const) {
    const ports = definition[side];
    if (!isFields(ports)) {
      problems.push(`Stage "${name}": ${side} must be an object: current value is ${show(ports)}`);
      continue;
    }
    for (const [port, value] of Object.entries(ports)) {
      const where = `Stage "${name}": ${side}.${port}`;
      if (!PORT.test(port)) problems.push(`${where} must be lower-case words joined by "_"`);
      const isMany = isFields(value) && value.many === true;
      if (isMany && (value.optional === true || value.ignorable === true)) {
        problems.push(`${where} takes many: it must not be optional or ignorable`);
      }
      const field = side === "inputs" ? "kinds" : "kind";
      const kinds = isFields(value) ? value[field] : undefined;
      const list = side === "outputs" ? [kinds] : Array.isArray(kinds) ? kinds : [];
      const wrong = list.find((kind) => !(ARTIFACT_KINDS as readonly unknown[]).includes(kind));
      if (list.length > 0 && wrong === undefined) continue;
      problems.push(
        `${where}.${field} must name artifacts (${ARTIFACT_KINDS.join(", ")}): current value is ${
          show(kinds)
        }`,
      );
    }
  }
  const { metrics } = definition;
  if (metrics === undefined) return problems;
  if (!isFields(metrics)) return [...problems, `Stage "${name}": metrics must be an object`];
  for (const metric of Object.keys(metrics)) {
    if (PORT.test(metric)) continue;
    problems.push(`Stage "${name}": metrics.${metric} must be lower-case words joined by "_"`);
  }
  return problems;
}

function schemaProblems(name: string, definition: Fields): string[] {
  try {
    const schema = asSchema(definition.parameters);
    if (schema.type === "object") return [];
    return [`Stage "${name}": parameters must be made by Type.Object`];
  } catch (error) {
    return [`Stage "${name}": ${(error as TypeError).message}`];
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return typeof value === "function" ? "a function" : JSON.stringify(value) ?? "not there";
}
