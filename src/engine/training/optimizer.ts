/**
 * Optimizer steps inside the graph.
 *
 * @module
 */

import type { Emitter } from "../autodiff/emitter.ts";

/** Which update rule, and its constants. */
export type Optimizer =
  /** w ← w − η·v with v ← μ·v + g. */
  | {
    readonly kind: "sgd";
    readonly momentum?: number;
    readonly nesterov?: boolean;
  }
  /** Kingma and Ba, 2015; weight decay is added to the gradient. */
  | AdamSettings & { readonly kind: "adam" }
  /** Loshchilov and Hutter, 2019: weight decay apart from the gradient. */
  | AdamSettings & { readonly kind: "adamw" };

interface AdamSettings {
  /** 0.9 unless told. */
  readonly beta1?: number;
  /** 0.999 unless told. */
  readonly beta2?: number;
  /** 1e-8 unless told. */
  readonly epsilon?: number;
}

/** Names of the tensors, each shaped like the parameters, that an optimizer carries from step to step. */
export function optimizerState(optimizer: Optimizer): readonly string[] {
  if (optimizer.kind !== "sgd") return ["moment1", "moment2"];
  return (optimizer.momentum ?? 0) === 0 ? [] : ["velocity"];
}

/** One step's values. */
export interface UpdateInputs {
  readonly parameters: string;
  readonly gradient: string;
  /** One value per entry of {@linkcode optimizerState}. */
  readonly state: readonly string[];
  /** Learning rate: a scalar, or shaped like the parameters. */
  readonly rate: string;
  /** Weight decay: a scalar, or shaped like the parameters; `undefined` for none. */
  readonly decay: string | undefined;
  /** The number of the step from 0, a float32 scalar. */
  readonly step: string;
}

/** Emits one update: the new parameters and the new state. */
export function optimizerUpdate(
  emit: Emitter,
  optimizer: Optimizer,
  inputs: UpdateInputs,
): { parameters: string; state: string[] } {
  return optimizer.kind === "sgd" ? sgd(emit, optimizer, inputs) : adam(emit, optimizer, inputs);
}

function decayed(emit: Emitter, { gradient, decay, parameters }: UpdateInputs): string {
  return decay === undefined ? gradient : emit.add(gradient, emit.mul(parameters, decay));
}

function sgd(
  emit: Emitter,
  optimizer: Extract<Optimizer, { kind: "sgd" }>,
  inputs: UpdateInputs,
): { parameters: string; state: string[] } {
  const gradient = decayed(emit, inputs);
  const [velocity] = inputs.state;
  if (velocity === undefined) {
    return {
      parameters: emit.sub(inputs.parameters, emit.mul(gradient, inputs.rate)),
      state: [],
    };
  }
  const momentum = emit.scalar(optimizer.momentum!, "float32");
  const next = emit.add(emit.mul(velocity, momentum), gradient);
  const direction = optimizer.nesterov === true
    ? emit.add(gradient, emit.mul(next, momentum))
    : next;
  return {
    parameters: emit.sub(inputs.parameters, emit.mul(direction, inputs.rate)),
    state: [next],
  };
}

function adam(
  emit: Emitter,
  optimizer: Extract<Optimizer, { kind: "adam" | "adamw" }>,
  inputs: UpdateInputs,
): { parameters: string; state: string[] } {
  const c = (value: number) => emit.scalar(value, "float32");
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = optimizer;
  const apart = optimizer.kind === "adamw";
  const gradient = apart ? inputs.gradient : decayed(emit, inputs);
  const [moment1, moment2] = inputs.state as [string, string];
  const first = emit.add(emit.mul(moment1, c(beta1)), emit.mul(gradient, c(1 - beta1)));
  const square = emit.mul(emit.mul(gradient, gradient), c(1 - beta2));
  const second = emit.add(emit.mul(moment2, c(beta2)), square);
  // 1 − βᵗ with t counted from 1; Exp of a multiple of the logarithm, because Pow is slow.
  const count = emit.add(inputs.step, c(1));
  const correction = (beta: number) => emit.sub(c(1), emit.exp(emit.mul(count, c(Math.log(beta)))));
  const root2 = emit.op("Sqrt", [correction(beta2)]);
  // Scalars first: the rate may be a vector.
  const rate = emit.mul(inputs.rate, emit.div(root2, correction(beta1)));
  const deviation = emit.add(emit.op("Sqrt", [second]), emit.mul(root2, c(epsilon)));
  const moved = emit.mul(emit.div(first, deviation), rate);
  const kept = apart && inputs.decay !== undefined
    ? emit.sub(
      inputs.parameters,
      emit.mul(inputs.parameters, emit.mul(inputs.rate, inputs.decay)),
    )
    : inputs.parameters;
  return { parameters: emit.sub(kept, moved), state: [first, second] };
}
