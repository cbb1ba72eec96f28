/**
 * How large the weights of each channel are.
 *
 * @module
 */

import type { ChannelLayer } from "../layer_channels.ts";

/** The greatest weights of a layer by channels, under factors of its channels that change. */
export class ChannelRanges {
  readonly layer: ChannelLayer;
  /** Greatest |w| of each pair of an output and an input that it reads, outputs first. */
  readonly #peaks: Float64Array;
  readonly #first: Int32Array;
  readonly #width: number;
  /** What weights are multiplied with, by input channel. */
  readonly #inputFactors: Float64Array;
  /** What weights are divided by, by output channel. */
  readonly #outputFactors: Float64Array;

  constructor(layer: ChannelLayer) {
    const { inputs, outputs, weights: { dims, data } } = layer;
    this.layer = layer;
    this.#width = layer.node.opType === "Conv" ? dims[1]! : inputs;
    this.#peaks = new Float64Array(outputs * this.#width);
    this.#first = new Int32Array(outputs);
    const perGroup = outputs / (inputs / this.#width);
    for (let output = 0; output < outputs; output++) {
      this.#first[output] = Math.floor(output / perGroup) * this.#width;
    }
    for (let index = 0; index < data.length; index++) {
      const output = layer.outputAt(index);
      const pair = output * this.#width + layer.inputAt(index) - this.#first[output]!;
      this.#peaks[pair] = Math.max(this.#peaks[pair]!, Math.abs(data[index]!));
    }
    this.#inputFactors = new Float64Array(inputs).fill(1);
    this.#outputFactors = new Float64Array(outputs).fill(1);
  }

  /** Greatest |w| of each output channel. */
  ofOutputs(): Float64Array {
    const ranges = new Float64Array(this.layer.outputs);
    for (let output = 0, pair = 0; output < ranges.length; output++) {
      let peak = 0;
      for (let at = 0, input = this.#first[output]!; at < this.#width; at++, input++, pair++) {
        const each = this.#peaks[pair]! * this.#inputFactors[input]!;
        if (each > peak) peak = each;
      }
      ranges[output] = peak / this.#outputFactors[output]!;
    }
    return ranges;
  }

  /** Greatest |w| of each input channel. */
  ofInputs(): Float64Array {
    const ranges = new Float64Array(this.layer.inputs);
    const { outputs } = this.layer;
    for (let output = 0, pair = 0; output < outputs; output++) {
      const factor = 1 / this.#outputFactors[output]!;
      for (let at = 0, input = this.#first[output]!; at < this.#width; at++, input++, pair++) {
        const each = this.#peaks[pair]! * factor;
        if (each > ranges[input]!) ranges[input] = each;
      }
    }
    return ranges.map((peak, input) => peak * this.#inputFactors[input]!);
  }

  /** Divides the weights of output channels. */
  divideOutputs(factors: Float64Array): void {
    factors.forEach((factor, channel) => this.#outputFactors[channel]! *= factor);
  }

  /** Multiplies the weights of input channels. */
  multiplyInputs(factors: Float64Array): void {
    factors.forEach((factor, channel) => this.#inputFactors[channel]! *= factor);
  }
}

/**
 * How much of a grid for all weights together channels use on average, from 0 to 1: the mean range of a channel over the
 * greatest. Channels without weights do not count.
 */
export function gridUse(ranges: Float64Array): number {
  const used = ranges.filter((range) => range > 0);
  if (used.length === 0) return 1;
  const greatest = used.reduce((a, b) => Math.max(a, b));
  return used.reduce((sum, range) => sum + range, 0) / (used.length * greatest);
}
