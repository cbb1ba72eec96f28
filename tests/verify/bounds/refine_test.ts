import assert from "node:assert/strict";
import { Random } from "../../../src/base/random.ts";
import { close, type ValueBounds } from "../../../src/verify/bounds/batch.ts";
import { choicesOf, type ElementwiseStep } from "../../../src/verify/bounds/choices.ts";
import { Propagator } from "../../../src/verify/bounds/propagate.ts";
import { relaxQuantize } from "../../../src/verify/bounds/quantize.ts";
import { newRelaxation, relaxRelu } from "../../../src/verify/bounds/relu.ts";
import { RowChoices } from "../../../src/verify/bounds/row_choices.ts";
import { allRows } from "../../../src/verify/bounds/rows.ts";
import { relaxSmooth, SMOOTH } from "../../../src/verify/bounds/smooth.ts";
import { roundToGrid } from "../../../src/verify/network/evaluate.ts";
import type { Quantizer } from "../../../src/verify/network/network.ts";
import { chain } from "../chains.ts";

const ROWS = 3;

/** Bounds of one element whose networks are near each other, or not. */
function boundsOf(random: Random): ValueBounds {
  const zl = 2 * random.normal(), zu = zl + Math.exp(2 * random.normal());
  const width = Math.exp(3 * random.normal() - 2);
  const el = (random.uniform() - 0.7) * width, eu = el + width;
  const bounds: ValueBounds = {
    zLower: Float64Array.of(zl),
    zUpper: Float64Array.of(zu),
    // Bounds of y that cut off what z and e alone leave.
    yLower: Float64Array.of(zl - eu + random.uniform() * 0.5 * width),
    yUpper: Float64Array.of(zu - el - random.uniform() * 0.4 * width),
    eLower: Float64Array.of(el),
    eUpper: Float64Array.of(eu),
  };
  close(bounds);
  return bounds;
}

interface Case {
  readonly step: ElementwiseStep;
  readonly original: (z: number) => number;
  readonly quantized: (y: number) => number;
}

function caseOf(random: Random, trial: number): Case {
  const facts = { input: 0, size: 1, dims: [1], names: {} };
  const made = (step: object) => ({ ...facts, ...step }) as unknown as ElementwiseStep;
  if (trial % 3 === 0) {
    const relu = (x: number) => Math.max(x, 0);
    return { step: made({ kind: "relu" }), original: relu, quantized: relu };
  }
  if (trial % 3 === 1) {
    const tanh = SMOOTH.tanh.value;
    return { step: made({ kind: "tanh" }), original: tanh, quantized: tanh };
  }
  const grid: Quantizer = {
    scale: Float64Array.of(Math.exp(random.normal() - 1)),
    zeroPoint: Float64Array.of(random.integer(12)),
    qmin: 0,
    qmax: 15,
  };
  const isBoth = trial % 2 === 0;
  const round = (x: number) => roundToGrid(grid, x, 0);
  return {
    step: made({
      kind: "quantize",
      quantizer: { original: isBoth ? grid : undefined, quantized: grid },
    }),
    original: isBoth ? round : (x) => x,
    quantized: round,
  };
}

function relaxationOf(step: ElementwiseStep, bounds: ValueBounds) {
  const relaxation = newRelaxation(1);
  if (step.kind === "relu") relaxRelu(bounds, 1, 1e-15, undefined, relaxation);
  else if (step.kind === "quantize") {
    relaxQuantize(bounds, 1, step.quantizer, 1e-15, 0, relaxation);
  } else relaxSmooth(step.kind, bounds, 1e-15, 0, relaxation);
  return relaxation;
}

Deno.test("rows hold whatever the choices were moved by", () => {
  const random = Random.from(61, "choices");
  let near = 0, checked = 0;
  for (let trial = 0; trial < 6000; trial++) {
    const { step, original, quantized } = caseOf(random, trial);
    const bounds = boundsOf(random);
    const [zl, zu] = [bounds.zLower[0]!, bounds.zUpper[0]!];
    if (!(zl < zu && bounds.yLower[0]! < bounds.yUpper[0]!)) continue;
    const choices = choicesOf(step, 0, bounds, relaxationOf(step, bounds), 1e-15, 0);
    const rows = new RowChoices(choices, ROWS);
    for (let pass = 0; pass < 4; pass++) {
      const v = Float64Array.from({ length: ROWS }, () => random.normal());
      const w = Float64Array.from({ length: ROWS }, () => 3 * random.normal());
      const [onZ, onE, constants] = [v.slice(), w.slice(), new Float64Array(ROWS)];
      rows.relax(onZ, onE, constants);
      for (let point = 0; point < 20; point++) {
        const where = Math.min(Math.max(1.4 * random.uniform() - 0.2, 0), 1);
        const z = zl + where * (zu - zl);
        const [least, most] = [
          Math.max(bounds.eLower[0]!, z - bounds.yUpper[0]!),
          Math.min(bounds.eUpper[0]!, z - bounds.yLower[0]!),
        ];
        if (least > most) continue;
        const e = least + Math.min(Math.max(1.4 * random.uniform() - 0.2, 0), 1) * (most - least);
        const a = original(z), g = a - quantized(z - e);
        for (let row = 0; row < ROWS; row++) {
          const given = v[row]! * a + w[row]! * g;
          const bound = onZ[row]! * z + onE[row]! * e + constants[row]!;
          const size = 1 + Math.abs(onZ[row]! * z) + Math.abs(onE[row]! * e) + Math.abs(given);
          assert.ok(given >= bound - 1e-12 * size, `${step.kind}: ${given} below ${bound}`);
          if (given < bound + 1e-9 * size) near++;
          checked++;
        }
      }
      // Anywhere, also where no values can be, and by any length.
      const values = (scale: number) =>
        Float64Array.from({ length: ROWS }, () => scale * random.normal());
      rows.move(values(3), values(1), random.uniform());
    }
  }
  assert.ok(checked > 500_000 && near > checked / 50, `${near} of ${checked} are near`);
});

for (const [kind, step, least] of [["Relu", undefined, 0.05], ["rounding", 0.05, 0.002]] as const) {
  Deno.test(`steps make rows of the output tighter, never looser: ${kind}`, async () => {
    const network = chain(5, [6, 12, 12, 3], 0.02, step);
    await using plain = new Propagator(network, { engine: "graphs" });
    await using refined = new Propagator(network, { refine: 5 });
    const random = Random.from(62, "boxes");
    let gained = 0;
    for (let trial = 0; trial < 10; trial++) {
      const lower = Float64Array.from({ length: 6 }, () => random.normal());
      const upper = lower.map((from) => from + 0.6 * random.uniform());
      const state = await plain.propagate({ count: 1, lower, upper }, "differences");
      const [before, after] = [
        await plain.boundRows(network.output, "joint", allRows(1, 3), state),
        await refined.boundRows(network.output, "joint", allRows(1, 3), state),
      ];
      before.bounds.forEach((bound, row) => {
        const gain = after.bounds[row]! - bound;
        assert.ok(gain >= -1e-10 * (1 + Math.abs(bound)), `${after.bounds[row]} below ${bound}`);
        gained += gain / (1 + Math.abs(bound));
      });
    }
    assert.ok(gained > least, `${gained}`);
  });
}
