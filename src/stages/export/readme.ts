/**
 * The page that goes with an exported model.
 *
 * @module
 */

import { formatNumber, formatQuantity } from "../../base/units.ts";
import type { SessionOption } from "../../engine/deployment.ts";
import { REPORTED_METRICS, type ReportedMetric } from "../../quant/metrics/reported.ts";
import type { ExportSummary, TensorSummary } from "./summary.ts";

/** Describes an exported model in Markdown. */
export function readmeOf(summary: ExportSummary): string {
  const sections = [
    [`# ${summary.file.name}`, opening(summary)],
    ["## Measured", measured(summary)],
    ["## Run it", running(summary)],
    ["## Inputs and outputs", tensors(summary)],
    ["## Layers", layers(summary)],
  ];
  return sections.filter(([, text]) => text !== "").map(([title, text]) => `${title}\n\n${text}\n`)
    .join("\n");
}

function opening({ file, onnx, weights, activations }: ExportSummary): string {
  const widths = Object.entries(activations).map(([bits, count]) => `${count} of ${bits} bits`);
  return [
    `An ONNX model (opset ${onnx.opset}, IR version ${onnx.ir}).`,
    "",
    ...table([["", ""], ["---", "---:"]], [
      ["file", `${formatQuantity(file.bytes, "bytes")} (${file.bytes} bytes)`],
      ["SHA-256", `\`${file.sha256}\``],
      ["weights", String(weights.count)],
      ["bits a weight", formatNumber(weights.bits)],
      ["packed weights", formatQuantity(weights.bytes, "bytes")],
      ["activation quantizers", widths.length === 0 ? "none" : widths.join(", ")],
    ]),
  ].join("\n");
}

function measured({ evaluation }: ExportSummary): string {
  if (evaluation === undefined) return "";
  const known = Object.entries(REPORTED_METRICS) as [string, ReportedMetric][];
  const rows = known.flatMap(([name, { title, unit, description }]) => {
    const value = evaluation.metrics[name];
    return value === undefined ? [] : [[title, formatQuantity(value, unit), description]];
  });
  const { arithmetic } = evaluation.execution;
  return [
    `With ${arithmetic} arithmetic in ${evaluation.execution.runtime}.`,
    "",
    ...table([["metric", "value", ""], ["---", "---:", "---"]], rows),
  ].join("\n");
}

function running({ file, runtime }: ExportSummary): string {
  const lines = [byDefault(runtime)];
  if (!runtime.runs_by_default) lines.push("", ...runtime.required.map(optionLine));
  if (runtime.advised.length > 0) {
    lines.push("", "Session options worth setting:", "", ...runtime.advised.map(optionLine));
  }
  const set = runtime.runs_by_default ? runtime.advised : runtime.required.slice(0, 1);
  return [...lines, "", ...python(file.name, set), "", ...javascript(file.name, set)].join("\n");
}

function byDefault(runtime: ExportSummary["runtime"]): string {
  const checked = `(checked with ${runtime.checked})`;
  if (!runtime.runs_by_default) {
    return `It does **not** run in ONNX Runtime with default options ${checked}. Set one of:`;
  }
  const difference = runtime.default_difference === 0
    ? "exactly as it is written"
    : `within ${
      runtime.default_difference.toPrecision(2)
    } of the largest output from what its nodes say`;
  return `It runs in ONNX Runtime with default options ${checked}, ${difference}, ` +
    `with ${runtime.integer_nodes} nodes in integer kernels.`;
}

function optionLine({ name, value, why }: SessionOption): string {
  return `- \`${name}\` = \`${value}\`: ${lowerFirst(why)}`;
}

function python(file: string, options: readonly SessionOption[]): string[] {
  return [
    "```python",
    "import onnxruntime",
    "",
    "options = onnxruntime.SessionOptions()",
    ...options.map(({ name, value }) =>
      name === "graph_optimization_level"
        ? `options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.${value}`
        : `options.add_session_config_entry("${name}", "${value}")`
    ),
    `session = onnxruntime.InferenceSession("${file}", options)`,
    "```",
  ];
}

function javascript(file: string, options: readonly SessionOption[]): string[] {
  const entries = options.filter(({ name }) => name !== "graph_optimization_level")
    .map(({ name, value }) => `"${name}": "${value}"`);
  const parts = [
    ...(entries.length < options.length ? [`graphOptimizationLevel: "basic"`] : []),
    ...(entries.length > 0 ? [`extra: { ${entries.join(", ")} }`] : []),
  ];
  const given = parts.length === 0 ? "" : `, { ${parts.join(", ")} }`;
  return [
    "```js",
    `import { InferenceSession } from "onnxruntime-node";`,
    "",
    `const session = await InferenceSession.create("${file}"${given});`,
    "```",
  ];
}

function tensors({ inputs, outputs }: ExportSummary): string {
  const row = (role: string) => ({ name, type, shape }: TensorSummary) => [
    role,
    `\`${name}\``,
    type,
    shape === null ? "?" : `[${shape.map((dim) => dim ?? "?").join(", ")}]`,
  ];
  return table([["", "name", "type", "shape"], ["---", "---", "---", "---"]], [
    ...inputs.map(row("input")),
    ...outputs.map(row("output")),
  ]).join("\n");
}

function layers({ layers }: ExportSummary): string {
  if (layers.length === 0) return "";
  const heads = [["node", "operator", "weights", "bits", "scales"], [
    "---",
    "---",
    "---:",
    "---:",
    "---",
  ]];
  return table(
    heads,
    layers.map(({ node, operator, weights, bits, granularity }) => [
      `\`${node}\``,
      operator,
      String(weights),
      String(bits),
      granularity === "float"
        ? "none: float"
        : granularity === "codebook"
        ? "codebook"
        : `one a ${granularity}`,
    ]),
  ).join("\n");
}

function table(heads: readonly string[][], rows: readonly string[][]): string[] {
  return [...heads, ...rows].map((cells) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
