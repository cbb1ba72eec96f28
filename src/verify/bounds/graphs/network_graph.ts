/**
 * Graphs for all networks of one structure: weights and offsets are inputs, so that a session serves many networks.
 *
 * @module
 */

import { GraphBuilder } from "../../../onnx/build.ts";
import type { Model } from "../../../onnx/model.ts";
import { type Tensor, tensor } from "../../../onnx/tensor.ts";
import { digestOf } from "../../../store/digest.ts";
import type { LinearMap } from "../../network/linear_map.ts";
import type { PairedNetwork, PairedStep, Quantizer, Side } from "../../network/network.ts";
import { SIDES } from "../../network/network.ts";

/** Takes the numbers of one input out of a network. */
export type ParameterReader = (network: PairedNetwork) => Tensor<"float64">;

/** A graph and where its numbers come from. */
export interface NetworkGraph {
  readonly model: Model;
  /** By the name of the input. The same name means the same numbers in every graph. */
  readonly parameters: ReadonlyMap<string, ParameterReader>;
}

/** Builds a graph for the networks that have the structure of `network`. */
export class NetworkGraphBuilder extends GraphBuilder {
  readonly network: PairedNetwork;
  readonly #parameters = new Map<string, ParameterReader>();
  readonly #scalars = new Map<number, string>();

  constructor(name: string, network: PairedNetwork) {
    super(name);
    this.network = network;
  }

  /** An input for numbers of the network; the same one for the same name. */
  parameter(name: string, dims: readonly number[], read: (network: PairedNetwork) => Float64Array) {
    if (!this.#parameters.has(name)) {
      this.#parameters.set(name, (network) => tensor("float64", dims, read(network)));
      this.input(name, "float64", dims);
    }
    return name;
  }

  /** A float64 number. */
  scalar(value: number): string {
    let name = this.#scalars.get(value);
    if (name === undefined) {
      name = this.constant(tensor("float64", [], Float64Array.of(value)));
      this.#scalars.set(value, name);
    }
    return name;
  }

  /** The graph. */
  finish(): NetworkGraph {
    return { model: this.build(), parameters: this.#parameters };
  }
}

/** What graphs are made by: networks with the same have the same graphs. */
export function structureOf(network: PairedNetwork): string {
  const known = STRUCTURES.get(network);
  if (known !== undefined) return known;
  const steps = network.steps.map((step) => ({ size: step.size, ...structureOfStep(step) }));
  const made = digestOf(JSON.stringify([network.input.size, network.output, steps]));
  STRUCTURES.set(network, made);
  return made;
}

/** The numbers of a network for a graph, by the name of the input; each is made once. */
export function parametersOf(
  graph: NetworkGraph,
  network: PairedNetwork,
): Record<string, Tensor<"float64">> {
  let known = PARAMETERS.get(network);
  if (known === undefined) PARAMETERS.set(network, known = new Map());
  const feeds: Record<string, Tensor<"float64">> = {};
  for (const [name, read] of graph.parameters) {
    let value = known.get(name);
    if (value === undefined) known.set(name, value = read(network));
    feeds[name] = value;
  }
  return feeds;
}

const STRUCTURES = new WeakMap<PairedNetwork, string>();
const PARAMETERS = new WeakMap<PairedNetwork, Map<string, Tensor<"float64">>>();

function structureOfStep(step: PairedStep): object {
  switch (step.kind) {
    case "affine": {
      const { original, quantized } = step.offset;
      return {
        kind: step.kind,
        terms: step.terms.map(({ input, map }) => ({
          input,
          isShared: isSameMap(map.original, map.quantized),
          maps: SIDES.map((side) => structureOfMap(map[side])),
        })),
        // A graph adds only what is not zero.
        offsets: [
          original.values.some(Boolean),
          quantized.values.some(Boolean),
          original.values.some((value, at) => value !== quantized.values[at]),
        ],
      };
    }
    case "maxpool":
      return {
        kind: step.kind,
        input: step.input,
        window: step.window,
        sources: bytes(step.sources),
      };
    case "quantize":
      return {
        kind: step.kind,
        input: step.input,
        quantizers: SIDES.map((side: Side) => structureOfQuantizer(step.quantizer[side])),
      };
    default:
      return { kind: step.kind, input: step.input };
  }
}

function structureOfMap(map: LinearMap): unknown {
  const { kind, rows, columns } = map;
  if (map.kind === "index") return { kind, rows, columns, sources: bytes(map.sources) };
  if (map.kind === "convolution") return { kind, rows, columns, geometry: map.geometry };
  return { kind, rows, columns };
}

/** Grids are constants of a graph. */
function structureOfQuantizer(quantizer: Quantizer | undefined): unknown {
  return quantizer &&
    { ...quantizer, scale: bytes(quantizer.scale), zeroPoint: bytes(quantizer.zeroPoint) };
}

/** Whether two maps have no difference: nothing is emitted for it then. */
export function isSameMap(a: LinearMap, b: LinearMap): boolean {
  if (a === b || a.kind === "index") return true;
  const isScaling = (map: LinearMap) => map.kind === "diagonal" || map.kind === "identity";
  if (!isScaling(a) || !isScaling(b)) return false;
  const factor = (map: LinearMap, at: number) => map.kind === "diagonal" ? map.factors[at]! : 1;
  for (let at = 0; at < a.rows; at++) if (factor(a, at) !== factor(b, at)) return false;
  return true;
}

function bytes({ buffer, byteOffset, byteLength }: Int32Array | Float64Array): string {
  return digestOf(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
}
