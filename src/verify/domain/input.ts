/**
 * The input of a network, as domains need to know it.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import { type DataType, elementCount } from "../../onnx/tensor.ts";
import { type Box, box } from "../box.ts";
import { ceilTo, floorTo, isInteger, typeEnds } from "./outward.ts";

/** The input of a network. */
export interface DomainInput {
  readonly name: string;
  readonly type: DataType;
  /** The shape of the model's input, with 1 for an open batch. */
  readonly dims: readonly number[];
  readonly size: number;
}

/** A box of a domain. */
export interface NamedBox {
  /** Says which part of the domain it is, such as an item of a data set. */
  readonly name: string;
  readonly box: Box;
  /** The class of the item that it is around, where the data set has labels. */
  readonly label?: number;
  /** The item itself, before it was rounded to the sides of the box. */
  readonly item?: Float64Array;
}

/**
 * The one input of a model.
 *
 * @throws {UserError} If it has several, or one whose shape is open beside the batch or whose type holds no numbers.
 */
export function domainInput({ graph }: Model): DomainInput {
  const inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name));
  if (inputs.length !== 1) {
    const names = inputs.map(({ name }) => `"${name}"`).join(", ");
    throw new UserError(
      `A domain describes one input: the model has ${inputs.length}${names && `, ${names}`}`,
    );
  }
  const { name, type, dims } = inputs[0]!;
  if (type === undefined || typeEnds(type) === undefined) {
    throw new UserError(`Input "${name}" of type ${type ?? "unknown"} has no boxes of numbers`);
  }
  if (dims === undefined) throw new UserError(`Input "${name}" has no shape`);
  const fixed = dims.map((dim, axis) => {
    if (typeof dim === "number") return dim;
    if (axis === 0) return 1;
    throw new UserError({
      message: `Dimension ${axis} of input "${name}" is open: a box needs to know how long it is`,
      hint: "Fix it with the stage `prepare`",
    });
  });
  return { name, type, dims: fixed, size: elementCount(fixed) };
}

/**
 * A box of real numbers as one of a data type.
 *
 * Sides of floating-point inputs are moved outward to the nearest values of the type. So the box holds every real point
 * of the given one, and also the points that rounding of its corners to the data type makes. It is a set of real points
 * all the same: values between two numbers of the type belong to it. Sides of integer inputs are moved inward to
 * integers, as a box holds no other values of the type.
 *
 * @param source Names the box in errors.
 * @throws {UserError} If it has another size than the input, is inverted, holds no integer, or reaches beyond the type.
 */
export function boxOfType(
  input: DomainInput,
  lower: ArrayLike<number>,
  upper: ArrayLike<number>,
  source: string,
): Box {
  for (const [side, values] of [["lower", lower], ["upper", upper]] as const) {
    if (values.length !== input.size) {
      throw new UserError(
        `${source} has ${values.length} ${side} sides: input "${input.name}" of shape ` +
          `[${input.dims}] has ${input.size} elements`,
      );
    }
  }
  const [least, largest] = typeEnds(input.type)!;
  const integer = isInteger(input.type);
  const [from, to] = [new Float64Array(input.size), new Float64Array(input.size)];
  for (let at = 0; at < input.size; at++) {
    const [low, high] = [lower[at]!, upper[at]!];
    const where = `Side ${at} of ${source}`;
    const shown = `${low} … ${high}`;
    if (Number.isNaN(low) || Number.isNaN(high)) throw new UserError(`${where} is not a number`);
    if (low > high) {
      throw new UserError({
        message: `${where} is inverted: ${shown}`,
        hint: "The lower side must not be above the upper one",
      });
    }
    if (low < least || high > largest) {
      throw new UserError(
        `${where} reaches beyond input "${input.name}": ${shown} is not within the ` +
          `${least} … ${largest} of ${input.type}`,
      );
    }
    // Adding 0 makes −0 a 0.
    from[at] = (integer ? Math.ceil(low) : floorTo(input.type, low)) + 0;
    to[at] = (integer ? Math.floor(high) : ceilTo(input.type, high)) + 0;
    if (from[at]! > to[at]!) {
      throw new UserError(`${where} holds no ${input.type}: ${shown}`);
    }
  }
  return box(from, to);
}
