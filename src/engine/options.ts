/**
 * The one place that decides ONNX Runtime's session options, and says which of them can change results.
 *
 * @module
 */

import type { NativeOptions } from "./runtime.ts";

/**
 * How quantizers are executed.
 *
 * - `simulated`: as written, in float32, the same on every machine.
 * - `integer`: fused into integer kernels as ONNX Runtime does by default. On x86 without VNNI instructions
 *   the products of full-range 8-bit values saturate at 16 bits, see `cpu.ts`.
 * - `integer-exact`: integer kernels without that saturation.
 * - `default`: whatever ONNX Runtime does when no option is set, with no way around what fails; to find out what
 *   happens to a model where it is deployed.
 */
export type Arithmetic = "simulated" | "integer" | "integer-exact" | "default";

/** Graph optimization level. */
export type Optimization = "none" | "basic" | "extended" | "all";

/** How a model is executed. */
export interface ExecutionOptions {
  /** `simulated` unless told. */
  readonly arithmetic?: Arithmetic;
  /** `all` unless told. */
  readonly optimization?: Optimization;
  /** Threads inside one operator; 1 unless told. */
  readonly threads?: number;
  /**
   * Whether memory for values inside of the model stays allocated from run to run; `true` unless told. Without it, many
   * sessions of large values take what the largest one needs at a time, and small models run slower.
   */
  readonly arena?: boolean;
}

const LEVELS = { none: "disabled", basic: "basic", extended: "extended", all: "all" } as const;

/** Options with their defaults filled in. */
export function completeOptions(options: ExecutionOptions): Required<ExecutionOptions> {
  const { arithmetic = "simulated", optimization = "all", threads = 1, arena = true } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(`threads must be an integer ≥ 1: current value is ${threads}`);
  }
  return { arithmetic, optimization, threads, arena };
}

/**
 * The options that can change a result, by the name ONNX Runtime gives them: what a result records and a
 * deployment repeats.
 */
export function resultOptions(
  arithmetic: Arithmetic,
  optimization: Optimization,
): Record<string, string> {
  const options: Record<string, string> = { graph_optimization_level: LEVELS[optimization] };
  if (arithmetic === "default") return options;
  // Otherwise weight-only MatMul silently quantizes its activations to 8 bits (3–6e-3 relative error).
  options["session.qdq_matmulnbits_accuracy_level"] = "1";
  if (arithmetic === "simulated") options["session.disable_quant_qdq"] = "1";
  if (arithmetic === "integer-exact") options["session.x64quantprecision"] = "1";
  return options;
}

/** ONNX Runtime's session options for an execution. */
export function sessionOptionsFor(options: Required<ExecutionOptions>): NativeOptions {
  const { graph_optimization_level: level, ...entries } = resultOptions(
    options.arithmetic,
    options.optimization,
  );
  return {
    executionProviders: ["cpu"],
    graphOptimizationLevel: level as (typeof LEVELS)[Optimization],
    executionMode: "sequential",
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    enableCpuMemArena: options.arena,
    logSeverityLevel: 4,
    extra: {
      ...entries,
      // Idle threads that spin cost up to 2.2 × on a busy machine and win 3–14 % on a quiet one.
      "session.intra_op.allow_spinning": "0",
      "session.inter_op.allow_spinning": "0",
    },
  };
}

/**
 * The options to try when ONNX Runtime cannot make or run a session with `options`: the same model with fewer
 * of the graph fusions that fail for some bit widths.
 */
export function fallbacksFor(options: Required<ExecutionOptions>): Required<ExecutionOptions>[] {
  if (options.arithmetic === "default") return [];
  const list: Required<ExecutionOptions>[] = [];
  if (options.arithmetic !== "simulated") list.push({ ...options, arithmetic: "simulated" });
  if (options.optimization === "all" || options.optimization === "extended") {
    list.push({ ...options, arithmetic: "simulated", optimization: "basic" });
  }
  return list;
}
