/**
 * Parameter groups: trainables that share an optimizer, a schedule and therefore one flat vector.
 *
 * One vector means a handful of optimizer nodes instead of a handful for every tensor.
 *
 * @module
 */

import { canonicalJson } from "../../base/canonical_json.ts";
import { elementCount, float32, type Tensor } from "../../onnx/tensor.ts";
import { type Optimizer, optimizerState } from "./optimizer.ts";
import type { TrainingOptions } from "./options.ts";
import { PLATEAU_STATE, type Schedule } from "./schedule.ts";

/** One trainable within its group's vector. */
export interface Member {
  readonly name: string;
  readonly dims: readonly number[];
  readonly offset: number;
  readonly length: number;
}

/** Trainables that are updated together. */
export interface ParameterGroup {
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly members: readonly Member[];
  readonly length: number;
  /** Learning rate: `[]` when all members have the same, else one per element. */
  readonly rate: Tensor<"float32">;
  /** Weight decay, likewise; `undefined` when it is zero throughout. */
  readonly decay: Tensor<"float32"> | undefined;
  /** Tensors carried from step to step with their start values, parameters first. */
  readonly state: ReadonlyMap<string, Tensor<"float32">>;
}

/** Divides the trainables into groups, in order of first appearance. */
export function parameterGroups(options: TrainingOptions): ParameterGroup[] {
  const byKey = new Map<string, string[]>();
  for (const [name, trainable] of options.trainable) {
    const optimizer = trainable.optimizer ?? options.optimizer;
    const schedule = trainable.schedule ?? options.schedule ?? { kind: "constant" };
    const key = canonicalJson([{ ...optimizer }, { ...schedule }]);
    byKey.set(key, [...byKey.get(key) ?? [], name]);
  }
  return [...byKey.values()].map((names) => group(options, names));
}

function group(options: TrainingOptions, names: readonly string[]): ParameterGroup {
  const first = options.trainable.get(names[0]!)!;
  const optimizer = first.optimizer ?? options.optimizer;
  const schedule = first.schedule ?? options.schedule ?? { kind: "constant" };
  const members: Member[] = [];
  let length = 0;
  for (const name of names) {
    const { dims } = options.trainable.get(name)!.initial;
    const count = elementCount(dims);
    members.push({ name, dims, offset: length, length: count });
    length += count;
  }
  const parameters = new Float32Array(length);
  for (const { name, offset } of members) {
    parameters.set(options.trainable.get(name)!.initial.data, offset);
  }
  const perElement = (value: (name: string) => number): Tensor<"float32"> => {
    const values = names.map(value);
    if (values.every((v) => v === values[0])) return float32([], [values[0]!]);
    const all = new Float32Array(length);
    members.forEach(({ offset, length }, index) =>
      all.fill(values[index]!, offset, offset + length)
    );
    return float32([length], all);
  };
  const decay = perElement((name) =>
    options.trainable.get(name)!.weightDecay ?? options.weightDecay ?? 0
  );
  return {
    optimizer,
    schedule,
    members,
    length,
    rate: perElement((name) => options.trainable.get(name)!.learningRate ?? options.learningRate),
    decay: decay.data.some((value) => value !== 0) ? decay : undefined,
    state: new Map([
      ["parameters", float32([length], parameters)],
      ...optimizerState(optimizer).map((name): [string, Tensor<"float32">] => [
        name,
        float32([length], new Float32Array(length)),
      ]),
      ...Object.entries(schedule.kind === "plateau" ? PLATEAU_STATE : {}).map((
        [name, value],
      ): [string, Tensor<"float32">] => [`plateau.${name}`, float32([], [value])]),
    ]),
  };
}
