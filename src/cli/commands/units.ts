/**
 * `bitbound units MODEL`
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { printable, type Style, textTable } from "../../base/terminal_text.ts";
import type { Unit, UnitGranularity } from "../../quant/units.ts";
import { ExitCode } from "../exit_code.ts";
import type { Streams } from "../output/streams.ts";

/** Its options. */
export interface UnitsOptions {
  readonly model: string;
  readonly unit: UnitGranularity;
  readonly json: boolean;
}

/** Shows the parts that reconstruction would work on, one after the other. */
export async function units(options: UnitsOptions, { out }: Streams): Promise<ExitCode> {
  const [{ readModel }, { findUnits }] = await Promise.all([
    importLater<typeof import("../../onnx/read.ts")>(import.meta.resolve("../../onnx/read.ts")),
    importLater<typeof import("../../quant/units.ts")>(import.meta.resolve("../../quant/units.ts")),
  ]);
  const found = findUnits(await readModel(options.model), options.unit);
  if (options.json) {
    const document = {
      version: 1,
      model: options.model,
      unit: options.unit,
      units: found.map(asJson),
    };
    out.lines(JSON.stringify(document, null, 2));
  } else out.lines(...unitLines(found, out.style));
  return ExitCode.done;
}

function asJson({ name, inputs, output, weights, nodes }: Unit): unknown {
  return { name, inputs, output, layers: weights.map(({ name }) => name), nodes: nodes.length };
}

function unitLines(found: readonly Unit[], style: Style): string[] {
  const rows = found.map((unit) => [
    printable(unit.name),
    String(unit.weights.length),
    [...new Set(unit.weights.map(({ opType }) => opType))].join(", "),
    printable(unit.inputs.join(", ")),
    printable(unit.output),
  ]);
  const layers = found.reduce((sum, { weights }) => sum + weights.length, 0);
  return [
    ...textTable(
      [{ title: "unit" }, { title: "layers", align: "right" }, { title: "operators" }, {
        title: "from",
      }, { title: "to" }],
      rows,
      style,
    ),
    "",
    `${found.length} ${found.length === 1 ? "unit" : "units"}, ${layers} layers with weights`,
  ];
}
