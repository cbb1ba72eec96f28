/**
 * The training loop as an ONNX model: one `Loop` whose body gathers a batch, runs forward and backward, and
 * updates the carried tensors.
 *
 * @module
 */

import { appendGradients } from "../autodiff/gradient.ts";
import { Emitter } from "../autodiff/emitter.ts";
import type { ValueTypes } from "../autodiff/types.ts";
import { cloneGraph } from "../../onnx/edit.ts";
import type { Graph, Model, ValueInfo } from "../../onnx/model.ts";
import { type DataType, elementCount, float32, type Tensor } from "../../onnx/tensor.ts";
import { formulateConvolutions } from "./forward_convolutions.ts";
import { uniformPool } from "./batches.ts";
import { modelOf, providedValues } from "./forward.ts";
import type { ParameterGroup } from "./groups.ts";
import {
  dataName,
  endName,
  groupStateName,
  LOOP_NAMES,
  monitorName,
  startName,
} from "./loop_names.ts";
import { optimizerState, optimizerUpdate } from "./optimizer.ts";
import type { TrainingOptions } from "./options.ts";
import { PLATEAU_STATE, plateauUpdate, type PlateauValues, scheduleFactor } from "./schedule.ts";

/** How many random numbers the pool has beyond the longest stretch. */
const POOL_MARGIN = 1 << 20;

/** A tensor carried from step to step. */
export interface StateTensor {
  readonly name: string;
  readonly initial: Tensor;
}

/** The compiled loop. */
export interface TrainingLoop {
  readonly model: Model;
  readonly state: readonly StateTensor[];
  /** For each random tensor, how many places in the pool it can start from. */
  readonly offsetLimits: readonly number[];
}

/**
 * Compiles a training run.
 *
 * @param types Types of the values of `forwardModel`.
 * @param block Channels in a block of ONNX Runtime's layout for convolutions; 1 if it has none here.
 */
export function compileLoop(
  options: TrainingOptions,
  groups: readonly ParameterGroup[],
  types: ValueTypes,
  block: number,
): TrainingLoop {
  const outer: Graph = emptyGraph("training");
  const body = emptyGraph("step");
  const forward = cloneGraph(options.graph);
  const provided = providedValues(options);
  for (const [name, value] of forward.initializers) {
    if (!provided.has(name)) body.initializers.set(name, value);
  }
  const own = { block, native: true };
  const emit = new Emitter(body, "train", own);
  // The forward nodes come after the ones that the emitter writes first.
  emit.reserve(forward);
  body.inputs.push(scalarInfo("loop/iteration", "int64"), scalarInfo("loop/running", "bool"));

  const step = emit.op("Cast", [emit.add("loop/iteration", LOOP_NAMES.first)], { to: 1 });
  if (options.step !== undefined) emit.alias(step, options.step);
  gatherBatch(emit, outer, options);
  const offsetLimits = emitUniform(emit, outer, options);
  for (const [index, group] of groups.entries()) emitParameters(emit, group, index);
  body.nodes.push(...forward.nodes);

  const withRespectTo = groups.flatMap(({ members }) => members.map(({ name }) => name));
  const gradients = appendGradients(
    emit,
    { loss: options.loss, withRespectTo, types },
    options.opset,
  );
  const loss = emit.reshape(options.loss, []);

  const state: { name: string; initial: Tensor; next: string }[] = [];
  for (const [index, group] of groups.entries()) {
    const next = emitUpdate(emit, group, index, { step, loss, gradients, steps: options.steps });
    for (const [name, initial] of group.state) {
      state.push({ name: groupStateName(index, name), initial, next: next.get(name)! });
    }
  }
  for (const [name, { initial, next }] of options.carried ?? []) {
    state.push({ name, initial, next });
  }

  emit.alias("loop/running", "loop/continue");
  body.outputs.push(scalarInfo("loop/continue", "bool"));
  for (const { name, initial, next } of state) {
    const info = { type: initial.type, dims: [...initial.dims] };
    body.inputs.push({ name, ...info });
    // A value can be an output once only, and an input is not an output: each gets a name of its own.
    const updated = `loop/updated/${name}`;
    emit.alias(next, updated);
    body.outputs.push({ name: updated, ...info });
  }
  const scans = [options.loss, ...options.monitors ?? []].map((value, index) => {
    const name = `loop/scan${index}`;
    emit.alias(emit.op("Cast", [emit.reshape(value, [])], { to: 1 }), name);
    body.outputs.push(scalarInfo(name, "float32"));
    return index === 0 ? LOOP_NAMES.losses : monitorName(value);
  });
  formulateConvolutions(body, types, own);
  // Constants of the outer graph are made once, those of a body at every step.
  for (const [name, value] of body.initializers) outer.initializers.set(name, value);
  body.initializers.clear();

  outer.inputs.push(scalarInfo(LOOP_NAMES.steps, "int64"), scalarInfo(LOOP_NAMES.first, "int64"));
  for (const { name, initial } of state) {
    outer.inputs.push({ name: startName(name), type: initial.type, dims: [...initial.dims] });
    outer.outputs.push({ name: endName(name), type: initial.type, dims: [...initial.dims] });
  }
  for (const name of scans) outer.outputs.push({ name, type: "float32", dims: ["steps"] });
  outer.nodes.push({
    name: "loop",
    opType: "Loop",
    domain: "",
    inputs: [LOOP_NAMES.steps, "", ...state.map(({ name }) => startName(name))],
    outputs: [...state.map(({ name }) => endName(name)), ...scans],
    attributes: new Map([["body", { kind: "graph", value: body }]]),
  });
  const model = modelOf(outer, options.opset);
  for (const { domain } of body.nodes) if (domain !== "") model.opsets.set(domain, 1);
  return { model, state, offsetLimits };
}

/** Gathers the step's items of every data tensor. */
function gatherBatch(emit: Emitter, outer: Graph, options: TrainingOptions): void {
  if (options.data.size === 0) return;
  outer.inputs.push({ name: LOOP_NAMES.order, type: "int64", dims: ["steps", options.batch] });
  const items = emit.op("Gather", [LOOP_NAMES.order, "loop/iteration"], { axis: 0 });
  for (const [name, { type, dims }] of options.data) {
    outer.inputs.push({ name: dataName(name), type, dims: ["items", ...dims.slice(1)] });
    emit.alias(emit.op("Gather", [dataName(name), items], { axis: 0 }), name);
  }
}

/** Cuts the step's random tensors out of the pool; gives how many places each can start from. */
function emitUniform(emit: Emitter, outer: Graph, options: TrainingOptions): number[] {
  const wanted = [...options.uniform ?? []];
  if (wanted.length === 0) return [];
  const longest = Math.max(...wanted.map(([, dims]) => elementCount(dims)));
  const length = longest + POOL_MARGIN;
  outer.initializers.set("loop/pool", float32([length], uniformPool(options.seed, length)));
  outer.inputs.push({ name: LOOP_NAMES.offsets, type: "int64", dims: ["steps", wanted.length] });
  const offsets = emit.op("Gather", [LOOP_NAMES.offsets, "loop/iteration"], { axis: 0 });
  return wanted.map(([name, dims], index) => {
    const count = elementCount(dims);
    const start = emit.slice(offsets, [0], [index], [index + 1]);
    const end = emit.add(start, emit.ints([count]));
    const stretch = emit.op("Slice", ["loop/pool", start, end]);
    emit.alias(emit.reshape(stretch, dims), name);
    return length - count + 1;
  });
}

/** Cuts a group's vector into its tensors. */
function emitParameters(emit: Emitter, group: ParameterGroup, index: number): void {
  const vector = groupStateName(index, "parameters");
  const parts = group.members.length === 1 ? [vector] : emit.ops(
    "Split",
    [vector, emit.ints(group.members.map(({ length }) => length))],
    group.members.length,
    { axis: 0 },
  );
  group.members.forEach(({ name, dims }, member) => {
    emit.ops("Reshape", [parts[member]!, emit.ints(dims)], [name]);
  });
}

interface StepValues {
  readonly step: string;
  readonly loss: string;
  readonly gradients: ReadonlyMap<string, string>;
  readonly steps: number;
}

/** The optimizer step of a group: the names of its state's next values. */
function emitUpdate(
  emit: Emitter,
  group: ParameterGroup,
  index: number,
  { step, loss, gradients, steps }: StepValues,
): Map<string, string> {
  const name = (tensor: string) => groupStateName(index, tensor);
  const vectors = group.members.map((member) =>
    emit.reshape(gradients.get(member.name)!, [member.length])
  );
  const next = new Map<string, string>();
  let plateau: PlateauValues | undefined;
  if (group.schedule.kind === "plateau") {
    const keys = Object.keys(PLATEAU_STATE) as (keyof PlateauValues)[];
    plateau = Object.fromEntries(keys.map((key) => [key, name(`plateau.${key}`)])) as PlateauValues;
    const updated = plateauUpdate(emit, group.schedule, plateau, loss);
    for (const key of keys) next.set(`plateau.${key}`, updated[key]);
  }
  const factor = scheduleFactor(emit, group.schedule, step, steps, plateau);
  const names = optimizerState(group.optimizer);
  const result = optimizerUpdate(emit, group.optimizer, {
    parameters: name("parameters"),
    gradient: emit.concat(vectors, 0),
    state: names.map(name),
    rate: emit.mul(emit.constant(group.rate, "rate"), factor),
    decay: group.decay && emit.constant(group.decay, "decay"),
    step,
  });
  next.set("parameters", result.parameters);
  names.forEach((tensor, position) => next.set(tensor, result.state[position]!));
  return next;
}

function emptyGraph(name: string): Graph {
  return {
    name,
    nodes: [],
    inputs: [],
    outputs: [],
    initializers: new Map(),
    values: new Map(),
  };
}

function scalarInfo(name: string, type: DataType): ValueInfo {
  return { name, type, dims: [] };
}
