/**
 * What each layer of a network loses at each width.
 *
 * @module
 */

import { type Problem, UserError } from "../base/errors.ts";

/** How a sensitivity table was made. */
export type SensitivityMethod = "output" | "reconstruction" | "sqnr" | "hawq" | "certified";

/** What a layer costs at one width. */
export interface SensitivityEntry {
  readonly bits: number;
  /** The loss with only this layer at this width, in the table's measure; 0 is the float network. */
  readonly loss: number;
  /** Bytes of its weights, packed at their own width, with scales, zero points and codebooks. */
  readonly bytes: number;
}

/** A layer: one constant of weights, and every node that computes with it. */
export interface SensitivityLayer {
  /** The first node's name. */
  readonly name: string;
  /** Every node that shares the weights, the first one included. */
  readonly nodes: readonly string[];
  /** How many weights there are. */
  readonly elements: number;
  /** By ascending width. */
  readonly entries: readonly SensitivityEntry[];
}

/**
 * Layers whose losses do not simply add up when several of them are narrow: a unit of the network, such as a residual
 * block (BRECQ, Li et al. 2021, section 3.4).
 */
export interface SensitivityBlock {
  readonly name: string;
  readonly layers: readonly string[];
  /** The width at which layers interact. */
  readonly bits: number;
  /** The joint loss of every set of two or more of the layers, with those layers at that width. */
  readonly joint: readonly { readonly layers: readonly string[]; readonly loss: number }[];
}

/** Activations that share a scale, and so a width. */
export interface SensitivityActivation {
  /** The value whose statistics give the scale. */
  readonly name: string;
  /** Every value that is quantized with it, the first one included. */
  readonly values: readonly string[];
  /** By ascending width: the loss with only these values at this width. */
  readonly entries: readonly Omit<SensitivityEntry, "bytes">[];
}

/** Losses of all layers at all widths. */
export interface SensitivityTable {
  readonly version: 1;
  readonly method: SensitivityMethod;
  /** What a loss is, such as `"kl"`, `"mse"`. */
  readonly measure: string;
  /** Ascending. */
  readonly widths: readonly number[];
  /** Empty where only activations were measured. */
  readonly layers: readonly SensitivityLayer[];
  readonly blocks: readonly SensitivityBlock[];
  /** Ascending. */
  readonly activation_widths?: readonly number[];
  readonly activations?: readonly SensitivityActivation[];
}

/** Blocks of more layers have too many sets of layers to be measured. */
export const LARGEST_BLOCK = 16;

/**
 * Checks that a table is complete.
 *
 * @param origin What messages call the table.
 * @throws {UserError} With everything that is missing or makes no sense.
 */
export function checkTable(table: SensitivityTable, origin: string): void {
  const problems: Problem[] = [];
  const refuse = (message: string, hint = "Make the table again with the stage sensitivity") =>
    problems.push({ message: `The sensitivity table "${origin}" ${message}`, hint });
  if (table?.version !== 1 || ![table.widths, table.layers, table.blocks].every(Array.isArray)) {
    refuse("is none: it has no version 1, widths, layers and blocks");
  } else if (!table.layers.every(isLayer) || !table.blocks.every(isBlock)) {
    refuse(
      "has layers without name, nodes and entries, or blocks without name, layers and joint losses",
    );
  } else if (!hasActivations(table)) {
    refuse("has activations without name, values and entries, or no activation_widths");
  } else if (table.layers.length + (table.activations?.length ?? 0) === 0) {
    refuse("has no layers");
  } else {
    for (const layer of table.layers) checkLayer(layer, table.widths, refuse);
    const names = new Set(table.layers.map(({ name }) => name));
    if (names.size < table.layers.length) refuse("has two layers of one name");
    checkBlocks(table, names, refuse);
    checkActivations(table, refuse);
  }
  if (problems.length > 0) throw new UserError(problems);
}

function isLayer(layer: Partial<SensitivityLayer> | null): boolean {
  return typeof layer?.name === "string" && Array.isArray(layer.nodes) &&
    Array.isArray(layer.entries) &&
    layer.entries.every((entry) => typeof entry === "object" && entry !== null);
}

function isBlock(block: Partial<SensitivityBlock> | null): boolean {
  return typeof block?.name === "string" && Array.isArray(block.layers) &&
    Array.isArray(block.joint) && block.joint.every((joint) => Array.isArray(joint?.layers));
}

function checkLayer(
  { name, elements, entries }: SensitivityLayer,
  widths: readonly number[],
  refuse: (message: string) => void,
): void {
  if (!Number.isSafeInteger(elements) || elements < 1) {
    refuse(`says that layer "${name}" has ${elements} weights`);
  }
  for (const width of widths) {
    if (!entries.some(({ bits }) => bits === width)) {
      refuse(`lacks layer "${name}" at ${width} bits`);
    }
  }
  for (const { bits, loss, bytes } of entries) {
    if (!Number.isFinite(loss)) refuse(`has loss ${loss} for layer "${name}" at ${bits} bits`);
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      refuse(`has ${bytes} bytes for layer "${name}" at ${bits} bits`);
    }
  }
}

function hasActivations({ activations, activation_widths }: SensitivityTable): boolean {
  if (activations === undefined) return true;
  return Array.isArray(activations) && Array.isArray(activation_widths) &&
    activations.every((each: Partial<SensitivityActivation> | null) =>
      typeof each?.name === "string" && Array.isArray(each.values) &&
      Array.isArray(each.entries) &&
      each.entries.every((entry) => typeof entry === "object" && entry !== null)
    );
}

function checkActivations(
  { activations = [], activation_widths = [] }: SensitivityTable,
  refuse: (message: string) => void,
): void {
  const names = new Set(activations.map(({ name }) => name));
  if (names.size < activations.length) refuse("has two activations of one name");
  for (const { name, entries } of activations) {
    for (const width of activation_widths) {
      if (!entries.some(({ bits }) => bits === width)) {
        refuse(`lacks activation "${name}" at ${width} bits`);
      }
    }
    for (const { bits, loss } of entries) {
      if (!Number.isFinite(loss)) {
        refuse(`has loss ${loss} for activation "${name}" at ${bits} bits`);
      }
    }
  }
}

function checkBlocks(
  { blocks, widths }: SensitivityTable,
  names: ReadonlySet<string>,
  refuse: (message: string) => void,
): void {
  const taken = new Set<string>();
  for (const block of blocks) {
    for (const layer of block.layers) {
      if (!names.has(layer)) refuse(`lacks layer "${layer}" of block "${block.name}"`);
      if (taken.has(layer)) refuse(`has layer "${layer}" in two blocks`);
      taken.add(layer);
    }
    const { length } = block.layers;
    if (length > LARGEST_BLOCK) {
      refuse(
        `has block "${block.name}" of ${length} layers: at most ${LARGEST_BLOCK} are possible`,
      );
      continue;
    }
    if (!widths.includes(block.bits)) {
      refuse(
        `has joint losses of block "${block.name}" at ${block.bits} bits, which is no width of it`,
      );
    }
    const sets = new Set(block.joint.map(({ layers }) => [...layers].sort().join("\n")));
    const expected = 2 ** length - length - 1;
    if (sets.size !== expected || block.joint.some(({ layers }) => layers.length < 2)) {
      refuse(
        `has joint losses of ${sets.size} sets of layers of block "${block.name}", expected ${expected}`,
      );
    }
    for (const { layers, loss } of block.joint) {
      if (!Number.isFinite(loss)) refuse(`has joint loss ${loss} in block "${block.name}"`);
      const stranger = layers.find((layer) => !block.layers.includes(layer));
      if (stranger !== undefined) refuse(`has no layer "${stranger}" in block "${block.name}"`);
    }
  }
}
