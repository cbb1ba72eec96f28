/**
 * What the inputs contribute to each neuron, on one box.
 *
 * @module
 */

import { type PairedNetwork, sizeOf, type ValueNumber } from "../../network/network.ts";
import type { Propagated } from "../engine.ts";
import { filledUp } from "./chain.ts";
import { LANES } from "./kernels.ts";
import type { DenseMemory } from "./memory.ts";

const BLOCK = 8 * LANES;

/**
 * Each input's share in each relaxed neuron, [neurons × inputs] by elementwise step: |∂z/∂xᵢ|·widthᵢ over the sum of all,
 * with functions replaced by the middle slopes of their relaxations.
 */
export function sharesOf(
  memory: DenseMemory,
  network: PairedNetwork,
  { batch, relaxations }: Propagated,
  box: number,
): Map<ValueNumber, Float64Array> {
  const { workspace } = memory;
  const inputs = network.input.size;
  const mark = workspace.mark;
  const widest = network.steps.reduce((most, { size }) => Math.max(most, size), inputs);
  const offsets = workspace.take(4 * widest);
  const buffers = [0, 1].map(() => workspace.take(BLOCK * filledUp(widest)));
  const packed = workspace.take(BLOCK * widest);
  const shares = new Map<ValueNumber, Float64Array>();
  const totals = new Map<ValueNumber, Float64Array>();
  for (let first = 0; first < inputs; first += LANES) {
    const lanes = Math.min(LANES, inputs - first);
    const { numbers, integers, kernels } = workspace;
    numbers.fill(0, buffers[0]! / 8, buffers[0]! / 8 + LANES * inputs);
    for (let lane = 0; lane < lanes; lane++) {
      const input = first + lane;
      const at = box * inputs + input;
      const half = (batch.upper[at]! - batch.lower[at]!) / 2;
      numbers[buffers[0]! / 8 + input * LANES + lane] = half;
    }
    for (const [index, step] of network.steps.entries()) {
      const value = index + 1;
      const size = sizeOf(network, value);
      if (step.kind === "affine") {
        const live = memory.live(index, box);
        const inner = live?.length ?? sizeOf(network, index);
        const columns = filledUp(size);
        if (inner === 0) numbers.fill(0, buffers[1]! / 8, buffers[1]! / 8 + LANES * columns);
        else {
          const from = buffers[0]! / 8;
          for (let at = 0; at < inner; at++) {
            const element = live === undefined ? at : live[at]!;
            integers[offsets / 4 + at] = 8 * columns * element;
            for (let lane = 0; lane < LANES; lane++) {
              numbers[packed / 8 + at * LANES + lane] = numbers[from + element * LANES + lane]!;
            }
          }
          const matrix = memory.addresses(value).forward.original!;
          kernels.multiply(packed, offsets, matrix, buffers[1]!, inner, columns, 0);
        }
        buffers.reverse();
        continue;
      }
      const { list, relaxed } = memory.neurons(value, box);
      const { aSlope } = relaxations.get(value)!;
      const share = shares.get(value) ?? new Float64Array(relaxed * inputs);
      const total = totals.get(value) ?? new Float64Array(relaxed).fill(1e-300);
      shares.set(value, share);
      totals.set(value, total);
      const [from, to] = [buffers[0]! / 8, buffers[1]! / 8];
      numbers.fill(0, to, to + LANES * size);
      for (let at = 0; at < list.length; at++) {
        const slope = aSlope[box * size + list[at]!]!;
        for (let lane = 0; lane < LANES; lane++) {
          const given = numbers[from + list[at]! * LANES + lane]!;
          numbers[to + list[at]! * LANES + lane] = given * slope;
          if (at >= relaxed || lane >= lanes) continue;
          share[at * inputs + first + lane] = Math.abs(given);
          total[at]! += Math.abs(given);
        }
      }
      buffers.reverse();
    }
  }
  for (const [value, share] of shares) {
    const total = totals.get(value)!;
    for (let at = 0; at < share.length; at++) share[at]! /= total[Math.floor(at / inputs)]!;
  }
  workspace.release(mark);
  return shares;
}
