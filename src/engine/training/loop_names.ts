/**
 * Names of the training loop's inputs and outputs.
 *
 * @module
 */

/** Names of the loop model's own inputs and outputs. */
export const LOOP_NAMES = {
  steps: "loop/steps",
  first: "loop/first",
  order: "loop/order",
  offsets: "loop/offsets",
  losses: "loop/losses",
} as const;

/** Name of the input that takes a data tensor with all its items. */
export function dataName(data: string): string {
  return `loop/data/${data}`;
}

/** Name of the input that takes a state tensor before the first step. */
export function startName(state: string): string {
  return `loop/start/${state}`;
}

/** Name of the output that holds a state tensor after the last step. */
export function endName(state: string): string {
  return `loop/end/${state}`;
}

/** Name of the output that holds a monitored value of every step. */
export function monitorName(value: string): string {
  return `loop/monitor/${value}`;
}

/** Name of a group's state tensor. */
export function groupStateName(group: number, tensor: string): string {
  return `loop/group${group}/${tensor}`;
}
