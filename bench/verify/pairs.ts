/**
 * The networks and domains that verification is measured on, from the shared data.
 *
 * @module
 */

import { cloneModel } from "../../src/onnx/edit.ts";
import type { Model } from "../../src/onnx/model.ts";
import { readModel } from "../../src/onnx/read.ts";
import { float32 } from "../../src/onnx/tensor.ts";
import { type Box, box } from "../../src/verify/box.ts";
import type { PairedNetwork } from "../../src/verify/network/network.ts";
import { pairModels } from "../../src/verify/network/pair.ts";
import { parseVnnlib } from "../../src/verify/vnnlib/property.ts";
import { sharedData } from "../../tests/shared_data.ts";

/** A model with weights as another width would hold them; still a float model. */
type Narrowing = (values: Float32Array, dims: readonly number[]) => Float32Array;

/** Rounded to half precision. */
const half: Narrowing = (values) => Float32Array.from(Float16Array.from(values));

/** Symmetric integers with one scale. */
const byTensor = (bits: number): Narrowing => (values) => {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = Math.fround(largest / (2 ** (bits - 1) - 1)) || 1;
  return values.map((value) => Math.round(value / scale) * scale);
};

/** Symmetric integers with a scale for each row of the first axis. */
const byChannel = (bits: number): Narrowing => (values, dims) => {
  const length = values.length / dims[0]!;
  const result = new Float32Array(values.length);
  for (let from = 0; from < values.length; from += length) {
    result.set(byTensor(bits)(values.subarray(from, from + length), dims), from);
  }
  return result;
};

const NARROWINGS = {
  half,
  "int8 tensor": byTensor(8),
  "int8 channel": byChannel(8),
  "int4 channel": byChannel(4),
};

/** A way to hold weights in fewer bits. */
export type Narrowed = keyof typeof NARROWINGS;

/** A model and its copy of narrower weights; biases stay as they are. */
export function narrowed(model: Model, how: Narrowed): PairedNetwork {
  return pairModels(model, narrowedModel(model, how));
}

/** A copy of narrower weights. */
export function narrowedModel(model: Model, how: Narrowed): Model {
  const copy = cloneModel(model);
  for (const [name, { type, dims, data }] of copy.graph.initializers) {
    if (type !== "float32" || dims.length < 2 || name.includes("AvgImg")) continue;
    copy.graph.initializers.set(name, float32(dims, NARROWINGS[how](data as Float32Array, dims)));
  }
  return copy;
}

/** A network of the shared data for verification. */
export async function network(path: string): Promise<Model> {
  return await readModel(shared(path));
}

/** A box of the shared data. */
export async function property(path: string): Promise<Box> {
  const file = shared(path);
  const [first] = parseVnnlib(await Deno.readTextFile(file), file).boxes;
  return box(first!.lower, first!.upper);
}

const MEANS = [19791.091, 0, 0, 650, 600];
const RANGES = [60261, 6.28318530718, 6.28318530718, 1100, 1200];

/** Where speaking of less is speaking of nothing: what the networks were trained on. */
const LEAST = [0, -3.141593, -3.141593, 100, 0];
const MOST = [60760, 3.141593, 3.141593, 1200, 1200];

/** Lower and upper sides in the units of the networks, and the networks. */
type Property = readonly [lower: readonly number[], upper: readonly number[], networks: RegExp];

const EVERY = /./;
const NEAR = [[250, 0.2, -3.1415926, 100, 0], [400, 0.4, -3.1366, 400, 400]] as const;

/**
 * The boxes of the properties of ACAS Xu: the ten of Reluplex, whose sixth has two, and five of ReluVal, with the networks
 * that ReluDiff and NeuroDiff run them on. The second has the box of the first, and is left out there.
 */
const PROPERTIES = {
  all: [LEAST, MOST, EVERY],
  1: [
    [55947.691, -3.141592, -3.141592, 1145, 0],
    [60760, 3.141592, 3.141592, 1200, 60],
    EVERY,
  ],
  3: [[1500, -0.06, 3.1, 980, 960], [1800, 0.06, 3.141592, 1200, 1200], /[2-5]_|1_[1-6]/],
  4: [[1500, -0.06, 0, 1000, 700], [1800, 0.06, 0, 1200, 800], /[2-5]_|1_[1-6]/],
  5: [NEAR[0], NEAR[1], /1_1/],
  "6.1": [[12000, -3.141592, -3.141592, 100, 0], [62000, -0.7, -3.136592, 200, 1200], /1_1/],
  "6.2": [[12000, 0.7, -3.141592, 100, 0], [62000, 3.141592, -3.136592, 200, 1200], /1_1/],
  7: [[0, -3.141592, -3.141592, 100, 0], [60760, 3.141592, 3.141592, 1200, 1200], /1_9/],
  8: [[0, -3.141592, -0.1, 600, 600], [60760, -2.356194, 0.1, 1200, 1200], /2_9/],
  9: [[2000, -0.4, -3.141592, 100, 0], [7000, -0.14, -3.131592, 150, 150], /3_3/],
  10: [[36000, 0.7, -3.141592, 900, 600], [60760, 3.141592, -3.131592, 1200, 1200], /4_5/],
  11: [NEAR[0], NEAR[1], /1_1/],
  12: [
    [55947.691, -3.141592, -3.141592, 1145, 0],
    [60760, 3.141592, 3.141592, 1200, 60],
    /3_3/,
  ],
  13: [[60000, -3.141592, -3.141592, 0, 0], [60760, 3.141592, 3.141592, 360, 360], /1_1/],
  14: [NEAR[0], NEAR[1], /[45]_1/],
  15: [[250, -0.4, -3.1415926, 100, 0], [400, -0.2, -3.1366, 400, 400], /[45]_1/],
} as const satisfies Record<string, Property>;

/** A property of ACAS Xu, or all inputs. */
export type AcasProperty = keyof typeof PROPERTIES;

/** All but all inputs. */
export const ACAS_PROPERTIES = Object.keys(PROPERTIES).filter((each) =>
  each !== "all"
) as unknown as readonly AcasProperty[];

/** The ACAS Xu networks that a property speaks of. */
export function acasNetworks(property: AcasProperty): string[] {
  const [, , wanted] = PROPERTIES[property];
  const names = [1, 2, 3, 4, 5].flatMap((a) => [1, 2, 3, 4, 5, 6, 7, 8, 9].map((b) => `${a}_${b}`));
  return names.filter((name) => wanted.test(name));
}

/** The box of an ACAS Xu property, or of all inputs, in the units of the networks. */
export function acasBox(property: AcasProperty): Box {
  const [lower, upper] = PROPERTIES[property];
  const normalize = (value: number, at: number) =>
    (Math.min(Math.max(value, LEAST[at]!), MOST[at]!) - MEANS[at]!) / RANGES[at]!;
  return box(lower.map(normalize), upper.map(normalize));
}

/** A file of the shared data; without it nothing can be measured. */
export function shared(path: string): string {
  const found = sharedData(`verify/${path}`);
  if (found === undefined) throw new Error(`There is no shared data: verify/${path}`);
  return found;
}
