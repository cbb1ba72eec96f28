/**
 * What ONNX Runtime's error messages mean, in terms of the model: node, operator, reason.
 *
 * @module
 */

import type { Problem } from "../base/errors.ts";
import { DATA_TYPE_NUMBERS } from "../onnx/tensor.ts";

interface Rule {
  readonly pattern: RegExp;
  /** Makes the problem from the pattern's named groups. */
  readonly problem: (groups: Record<string, string>) => Problem;
}

const RULES: readonly Rule[] = [
  {
    pattern:
      /In Node, \("(?<node>[^"]*)", (?<op>[^,]+), .*No Op registered for \S+ with domain_version of (?<opset>\d+)/s,
    problem: ({ node, op, opset }) => ({
      message: `${nodeText(node, op)}: opset ${opset} has no operator ${op}`,
      hint: "Check the operator's name and domain, and the opset that the model imports",
    }),
  },
  {
    pattern:
      /In Node, \("(?<node>[^"]*)", (?<op>[^,]+), .*No opset import for domain '(?<domain>[^']*)'/s,
    problem: ({ node, op, domain }) => ({
      message: `${nodeText(node, op)}: the model does not import the operator domain "${domain}"`,
      hint: "Replace the custom operator by standard ones before using the model here",
    }),
  },
  {
    pattern:
      /Could not find an implementation for (?<op>\w+)\((?<opset>\d+)\) node with name '(?<node>[^']*)'/,
    problem: ({ node, op, opset }) => ({
      message:
        `${
          nodeText(node, op)
        }: ONNX Runtime has no CPU implementation of ${op} (since opset ${opset}) ` +
        `for the element types of this node`,
      hint: "Convert the node's inputs to float32, or replace the operator",
    }),
  },
  {
    pattern: /(?<op>[\w.]+:\w+)\(-?\d+\) is not a registered function\/op/,
    problem: ({ op }) => ({
      message: `Operator ${op} is not part of ONNX Runtime`,
      hint: "Replace the custom operator by standard ones before using the model here",
    }),
  },
  {
    pattern:
      /Type '(?<type>[^']+)' of input parameter \((?<value>[^)]*)\) of operator \((?<op>[^)]*)\) in node \((?<node>[^)]*)\) is invalid/,
    problem: ({ node, op, type, value }) => ({
      message: `${nodeText(node, op)}: its input "${value}" must not be ${type}`,
    }),
  },
  {
    pattern: /Node \((?<node>[^)]*)\) Op \((?<op>[^)]*)\) (?:\[\w+\] )?(?<reason>.+)/s,
    problem: ({ node, op, reason }) => ({ message: `${nodeText(node, op)}: ${tidy(reason)}` }),
  },
  {
    pattern:
      /Non-zero status code returned while running (?<op>\w+) node\. Name:'(?<node>[^']*)' Status Message: (?<reason>.+)/s,
    problem: ({ node, op, reason }) => ({ message: `${nodeText(node, op)}: ${tidy(reason)}` }),
  },
  {
    pattern: /protobuf parsing failed|Model data pointer is null/i,
    problem: () => ({
      message: "Not an ONNX model, or a truncated one",
      hint: "Export or download the file again; an ONNX file is a protobuf of type ModelProto",
    }),
  },
  {
    pattern: /External data path validation failed for initializer: (?<value>.+?)\. /,
    problem: ({ value }) => ({
      message: `The values of "${value}" are in another file, which is not there`,
      hint:
        "Keep the file with the external data beside the model file, and open the model by its path",
    }),
  },
  {
    pattern: /Unsupported data type: (?<number>\d+)/,
    problem: ({ number }) => ({
      message: `The model has an input or output of element type ${typeName(Number(number))}, ` +
        `which cannot be passed in or out of ONNX Runtime`,
      hint: "Put the tensor behind a Cast, QuantizeLinear or DequantizeLinear node",
    }),
  },
];

/** The problem behind an error of ONNX Runtime. */
export function explainFailure(error: unknown): Problem {
  const text = error instanceof Error ? error.message : String(error);
  for (const rule of RULES) {
    const match = rule.pattern.exec(text);
    if (match) return rule.problem(match.groups ?? {});
  }
  return { message: tidy(text.replace(/^Load model from .* failed:/, "")) };
}

function nodeText(node: string | undefined, operator: string | undefined): string {
  return node ? `Node "${node}" (${operator})` : `A node ${operator} without a name`;
}

/** The name of a type by the runtime's number, which is the standard's only up to 23. */
function typeName(number: number): string {
  if (number === 24) return "uint2";
  if (number === 25) return "int2";
  const entry = Object.entries(DATA_TYPE_NUMBERS).find(([, value]) => value === number);
  return entry?.[0] ?? `number ${number}`;
}

/** Removes source places, C++ signatures and checks that mean nothing to the reader. */
function tidy(reason: string | undefined): string {
  const text = (reason ?? "").trim()
    .replace(/^\S*onnxruntime\S*\.(?:cc|h|cpp):\d+ .*? was false\.\s*/s, "")
    .replace(/^\S*onnxruntime\S*\.(?:cc|h|cpp):\d+ /, "")
    .replace(/\s+/g, " ")
    .replace(/\.$/, "");
  return text === "" ? "ONNX Runtime gives no reason" : text;
}
