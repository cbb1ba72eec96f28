/**
 * Weight gradients with few copies: the input is shifted along the last axis only, the upstream gradient along
 * the others, where a shift moves whole rows.
 *
 * A strided axis is taken apart into its phases, so that every kernel position is again a shift.
 *
 * @module
 */

import { elementCount } from "../../../onnx/tensor.ts";
import type { Emitter } from "../emitter.ts";
import type { WeightProblem } from "./weight_gradient.ts";
import { kernelPositions, type Window } from "./window.ts";

/** Where a kernel element meets an axis: input row `stride · (h + shift) + phase` for output row h. */
interface Meeting {
  readonly phase: number;
  readonly shift: number;
}

function meeting(window: Window, axis: number, element: number): Meeting {
  const offset = element * window.dilations[axis]! - window.begins[axis]!;
  const stride = window.strides[axis]!;
  const shift = Math.floor(offset / stride);
  return { phase: offset - shift * stride, shift };
}

/** How many rows of an axis have a phase. */
function phaseRows(size: number, stride: number, phase: number): number {
  return Math.ceil((size - phase) / stride);
}

/** Whether every kernel element meets the input somewhere, as shifting supposes. */
export function shiftsFit(
  wide: readonly number[],
  narrow: readonly number[],
  window: Window,
): boolean {
  return window.kernel.every((size, axis) =>
    Array.from({ length: size }, (_, element) => meeting(window, axis, element))
      .every(({ phase, shift }) => {
        const rows = phaseRows(wide[axis]!, window.strides[axis]!, phase);
        return rows > 0 && shift > -narrow[axis]! && shift < rows;
      })
  );
}

/** Kernel positions without the last axis that meet the same phases. */
interface PhaseGroup {
  readonly phases: readonly number[];
  /** Index of each position in row-major order, and its shift along each axis. */
  readonly members: { readonly index: number; readonly shifts: readonly number[] }[];
}

function phaseGroups(window: Window): PhaseGroup[] {
  const groups = new Map<string, PhaseGroup>();
  kernelPositions(window.kernel.slice(0, -1)).forEach((position, index) => {
    const meetings = position.map((element, axis) => meeting(window, axis, element));
    const phases = meetings.map(({ phase }) => phase);
    const group = groups.get(String(phases)) ?? { phases, members: [] };
    group.members.push({ index, shifts: meetings.map(({ shift }) => shift) });
    groups.set(String(phases), group);
  });
  return [...groups.values()];
}

/**
 * Emits the weight gradient.
 *
 * @param byItem Whether each item has a product of its own, or the batch lies within one product.
 */
export function weightsByShifts(emit: Emitter, problem: WeightProblem, byItem: boolean): string {
  const { xDims, upstreamDims, window } = problem;
  const [batch, channels, ...wide] = xDims as [number, number, ...number[]];
  const [, outputs, ...narrow] = upstreamDims as [number, number, ...number[]];
  const { group, kernel, strides } = window;
  const rank = kernel.length;
  const last = rank - 1;
  const inner = channels / group;
  const outer = outputs / group;
  // Either [N, C, …, W] or [C, …, N, W]: outer axis a is axis a + lead.
  const lead = byItem ? 2 : 1;
  const batchLate = [1, ...kernel.slice(0, -1).map((_, axis) => axis + 2), 0, rank + 1];
  const x = byItem ? problem.x : emit.transpose(problem.x, batchLate);
  const upstream = byItem ? problem.upstream : emit.transpose(problem.upstream, batchLate);
  const pad = (
    value: string,
    dims: readonly number[],
    axis: number,
    pads: readonly [number, number],
  ) => emit.padAxis(value, dims, axis, pads, problem.type);
  const shape = (count: number, sizes: readonly number[]) =>
    byItem ? [batch, count, ...sizes] : [count, ...sizes.slice(0, -1), batch, sizes.at(-1)!];
  const matrix = (value: string, rows: number, depth: number) =>
    emit.reshape(value, byItem ? [batch, group, rows, depth] : [group, rows, depth]);
  const rowAxis = byItem ? 2 : 1;

  const order: number[] = [];
  const products = phaseGroups(window).map(({ phases, members }) => {
    const rows = phases.map((phase, axis) => phaseRows(wide[axis]!, strides[axis]!, phase));
    const depth = (byItem ? 1 : batch) * elementCount(rows) * narrow[last]!;
    const strided = phases.flatMap((_, axis) => strides[axis]! > 1 ? [axis] : []);
    const phased = strided.length === 0 ? x : emit.slice(
      x,
      strided.map((axis) => axis + lead),
      strided.map((axis) => phases[axis]!),
      strided.map((axis) => wide[axis]!),
      strided.map((axis) => strides[axis]!),
    );
    const left = emit.concat(
      members.map(({ index, shifts }) => {
        order.push(index);
        let shifted = upstream;
        const sizes = [...narrow];
        shifts.forEach((shift, axis) => {
          const end = rows[axis]! - narrow[axis]! - shift;
          shifted = pad(shifted, shape(outputs, sizes), axis + lead, [shift, end]);
          sizes[axis] = rows[axis]!;
        });
        return matrix(shifted, outer, depth);
      }),
      rowAxis,
    );
    const columns = Array.from({ length: kernel[last]! }, (_, element) => {
      const offset = element * window.dilations[last]! - window.begins[last]!;
      const end = offset + strides[last]! * (narrow[last]! - 1) + 1;
      const dims = shape(channels, [...rows, wide[last]!]);
      let shifted: string;
      if (strides[last] === 1) {
        shifted = pad(phased, dims, rank + 1, [-offset || 0, end - wide[last]!]);
      } else {
        const begin = Math.max(0, -offset);
        const padded = pad(phased, dims, rank + 1, [begin, Math.max(0, end - wide[last]!)]);
        shifted = emit.slice(
          padded,
          [rank + 1],
          [offset + begin],
          [end + begin],
          [strides[last]!],
        );
      }
      // A single row is its own transpose, and is faster when it is not written as one.
      const right = inner === 1
        ? emit.reshape(shifted, byItem ? [batch, group, depth, 1] : [group, depth, 1])
        : emit.transpose(
          matrix(shifted, inner, depth),
          byItem ? [0, 1, 3, 2] : [0, 2, 1],
        );
      return emit.op("MatMul", [left, right]);
    });
    return emit.concat(columns, rowAxis + 1);
  });
  const stacked = emit.concat(products, rowAxis);
  const sum = byItem ? emit.reduceSum(stacked, [0], false) : stacked;
  // [group, positions · outer, last · inner] → [group, outer, inner, positions, last]
  const split = emit.reshape(sum, [group, order.length, outer, kernel[last]!, inner]);
  const inOrder = order.every((index, at) => index === at) ? split : emit.op("Gather", [
    split,
    emit.ints(order.map((_, index) => order.indexOf(index))),
  ], { axis: 1 });
  return emit.reshape(emit.transpose(inOrder, [0, 2, 4, 1, 3]), [outputs, inner, ...kernel]);
}
