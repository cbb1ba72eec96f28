/**
 * The work of the stage `verify`.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";
import { formatWholeSeconds } from "../../base/units.ts";
import type { Model } from "../../onnx/model.ts";
import { encodeModel } from "../../onnx/write.ts";
import type { StageContext, StageRun } from "../../registry/stage.ts";
import { Attacker } from "../../verify/attack/attack.ts";
import { ExecutedPair } from "../../verify/attack/executed.ts";
import { snapFor } from "../../verify/attack/extremes.ts";
import { confirm } from "../../verify/attack/found.ts";
import { encodeNpy } from "../../verify/attack/npy.ts";
import type { Propagated } from "../../verify/bounds/engine.ts";
import { freeSides } from "../../verify/box.ts";
import { decompose } from "../../verify/decompose.ts";
import { domainInput, type NamedBox } from "../../verify/domain/input.ts";
import { inputTensor } from "../../verify/domain/values.ts";
import { exactBracket } from "../../verify/exact/bracket.ts";
import { hasMargins, marginNetwork, MarginProver } from "../../verify/margin.ts";
import { mergedModel } from "../../verify/merged.ts";
import type { PairedNetwork } from "../../verify/network/network.ts";
import { pairModels } from "../../verify/network/pair.ts";
import { CheckpointClock } from "../../engine/training/checkpoint_clock.ts";
import { withItself } from "../../verify/variants.ts";
import { isSplit, Verifier } from "../../verify/verify.ts";
import { wholeSeconds } from "../../verify/work.ts";
import { zonotopeBracket } from "../../verify/zonotope/bracket.ts";
import { answerOf, type DomainResult } from "./answer.ts";
import { certificateOf } from "./certificate.ts";
import {
  CHECKPOINT,
  decodeDone,
  decodeSearch,
  type DoneDomain,
  encodeDone,
  encodeSearch,
  SEARCH_CHECKPOINT,
} from "./checkpoint.ts";
import { domainOf } from "./domain.ts";
import type { inputs, outputs, Parameters, parameters } from "./ports.ts";
import { Reporter } from "./reporter.ts";

export const run: StageRun<typeof parameters, typeof inputs, typeof outputs> = async (
  parameters,
  given,
  context,
) => {
  const [model, reference] = await Promise.all([given.model.load(), given.reference.load()]);
  const { method, semantics, emit } = parameters;
  if (semantics === "float32") checkTypes(reference, model);
  const network = pairModels(reference, model);
  const boxes = await domainOf(parameters.domain, reference, given);
  warnOfWork(parameters, network, boxes, context);
  const reporter = new Reporter(context, boxes.length);
  const domains = await verifyAll(
    parameters,
    { model, reference, network, boxes },
    context,
    reporter,
  );

  const worst = domains.reduce((most, each) => largest(each) > largest(most) ? each : most);
  const { box } = worst.domain;
  const { outputs } = worst.result;
  const parts = method === "exact" || method === "zonotope"
    ? undefined
    : await decompose(network, box, {
      method,
      semantics,
      threads: context.threads,
      signal: context.signal,
      points: outputs.flatMap(({ witness }) => witness?.input ?? []),
      ...(!isSplit(box, parameters) && { bounds: outputs.map(({ proven }) => proven) }),
      whole: ({ share, network, of }) => reporter.decomposing(share, network, of),
    });
  const { bracket, metrics, bound } = answerOf(
    parameters,
    domains,
    parts && { domain: worst.domain.name, parts },
  );
  if (bound === Infinity) {
    context.warn(
      "There is no finite bound: values grow beyond all numbers on this domain. Make it smaller",
    );
  }
  const { bytes, facts } = await certificateOf(
    { original: given.reference.path, quantized: given.model.path },
    parameters,
    boxes,
    domains.map(({ result }) => result),
    context,
    reporter,
  );
  return {
    outputs: {
      bracket: { ...bracket, certificate: facts },
      certificate: bytes,
      witness: witnessFile(reference, domains),
      ...(emit === "merged" && { merged: encodeModel(mergedModel(reference, model)) }),
    },
    metrics: { ...metrics, ...("claims" in facts && { certified: facts.claims }) },
  };
};

interface Task {
  readonly model: Model;
  readonly reference: Model;
  readonly network: PairedNetwork;
  readonly boxes: readonly NamedBox[];
}

/** Brackets of every box of the domain; an interrupted run goes on from its checkpoints. */
async function verifyAll(
  { method, split, semantics, stop, attack }: Parameters,
  { model, reference, network, boxes }: Task,
  context: StageContext,
  reporter: Reporter,
): Promise<DomainResult[]> {
  const { seed, threads, signal, checkpoints } = context;
  const saved = await checkpoints.load(CHECKPOINT);
  const done: DoneDomain[] = saved === undefined ? [] : decodeDone(saved);
  let resume = decodeSearch(done.length, await checkpoints.load(SEARCH_CHECKPOINT));
  let state: (() => Uint8Array) | undefined;
  const clock = new CheckpointClock(() =>
    checkpoints.save(SEARCH_CHECKPOINT, encodeSearch(done.length, state!()))
  );
  const searched = boxes.filter(({ box }) => isSplit(box, { method, split }));
  const least = await leastGoal(network, searched, stop.ratio, semantics, threads);
  const target = Math.max(stop.bound ?? 0, least);
  const isClassifier = boxes.some(({ label }) => label !== undefined) && hasMargins(network) &&
    method !== "exact";
  await using open = new AsyncDisposableStack();
  const verifier = method === "exact" || method === "zonotope" ? undefined : open.use(
    new Verifier(network, {
      method,
      split,
      semantics,
      ratio: stop.ratio,
      threads,
      signal,
      progress: (state) => reporter.search(state),
      whole: ({ part, share }) => reporter.part(part, share),
      ...(isClassifier && { within: marginNetwork(network) }),
      save: async (search) => {
        state = search;
        await clock.tick();
      },
      target,
      ...(stop.boxes === undefined ? {} : { boxes: stop.boxes }),
      ...(stop.time === undefined ? {} : { time: stop.time * 1000 }),
    }),
  );
  const pair = open.use(await ExecutedPair.open(reference, model, { threads }));
  const attacker = attack.restarts === 0
    ? undefined
    : open.use(await Attacker.open(network, threads));
  const margins = isClassifier
    ? open.use(
      new MarginProver(network, semantics, threads, {
        check: () => signal.throwIfAborted(),
        progress: () => reporter.part("bounding margins", 0),
      }),
    )
    : undefined;
  const snap = snapFor(domainInput(reference).type);
  for (const { box, item } of boxes.slice(done.length)) {
    signal.throwIfAborted();
    reporter.begin(done.length);
    const progress = (share: number) => reporter.part("attacking", share);
    const points = await attacker?.attack(box, { ...attack, seed, signal, snap, progress }) ?? [];
    const candidates = points.flatMap(({ highest, lowest }) => [highest.input, lowest.input]);
    const distinct = [...new Set(candidates)];
    const result = verifier !== undefined
      ? await verifier.verify(box, distinct, resume)
      : method === "exact"
      ? await exactBracket(network, box, signal)
      : zonotopeBracket(network, box, distinct, {
        semantics,
        ratio: stop.ratio,
        ...(stop.bound === undefined ? {} : { target: stop.bound }),
        signal,
      });
    resume = undefined;
    const confirmed = await confirm(network, pair, box, result.outputs, semantics, snap, distinct);
    const kept = margins && item &&
      await isKept(margins, pair, box, item, verifier?.known?.state);
    done.push({ result, confirmed, ...(kept !== undefined && { kept }) });
    await checkpoints.save(CHECKPOINT, encodeDone(done));
  }
  reporter.begin(done.length);
  warnOfStandstill(boxes.filter((_, at) => done[at]!.result.standsStill !== undefined), context);
  return boxes.map((domain, at) => ({ domain, kept: undefined, ...done[at]! }));
}

/**
 * A bound that is not worth splitting for. Where the difference is as small as arithmetic is inexact, parts of a box
 * have no tighter bounds than all of it: with `ratio` r nothing below noise · r / (r − 1) can be reached everywhere.
 */
async function leastGoal(
  network: PairedNetwork,
  boxes: readonly NamedBox[],
  ratio: number,
  semantics: Parameters["semantics"],
  threads: number,
): Promise<number> {
  const options = { method: "differential", split: false, semantics, threads } as const;
  await using verifier = new Verifier(withItself(network), options);
  let noise = 0;
  for (const { box } of boxes) {
    const { outputs } = await verifier.verify(box);
    noise = Math.max(noise, ...outputs.map(({ proven }) => proven));
  }
  return Number.isFinite(noise) ? 2 * noise * ratio / (ratio - 1) : 0;
}

/** Seconds for all boxes from which on it is said beforehand how long they can take. */
const LONG = 120;

/** Says beforehand that `differential` takes long, on anything but small boxes. */
function warnOfWork(
  { method, split }: Parameters,
  network: PairedNetwork,
  boxes: readonly NamedBox[],
  context: StageContext,
): void {
  if (method !== "differential") return;
  const whole = boxes.filter(({ box }) => freeSides(box) > 0 && !isSplit(box, { method, split }));
  if (whole.length === 0) return;
  const seconds = wholeSeconds(network);
  if (seconds * whole.length < LONG) return;
  const each = formatWholeSeconds(Math.ceil(seconds));
  context.warn(
    `Bounding ${whole.length === 1 ? "the box" : `each of ${whole.length} boxes`} of this domain ` +
      `can take about ${each}, and longer where slopes are chosen, unless it leaves the signs ` +
      "of few neurons open. Make boxes smaller, take fewer, or limit what follows the first pass " +
      "by stop: { time }; method interval takes seconds and says less",
  );
}

/** Says that bounds stayed what they are, and what makes the search go on. */
function warnOfStandstill(boxes: readonly NamedBox[], context: StageContext): void {
  if (boxes.length === 0) return;
  const names = boxes.slice(0, 3).map(({ name }) => `"${name}"`).join(", ");
  const more = boxes.length > 3 ? " and others" : "";
  context.warn(
    `Splitting ${names}${more} ` +
      "ended before the goal was reached, since it did not help any more: the bound is true, and " +
      "roundings of activations are most of it where there are any. Make the domain smaller, take " +
      "a larger stop: { ratio } or a { bound }, or say with { boxes } or { time } how long to go on",
  );
}

/** Whether all of a box provably has the class, in both models, that the original gives to its item. */
async function isKept(
  margins: MarginProver,
  pair: ExecutedPair,
  box: NamedBox["box"],
  item: Float64Array,
  known: Propagated | undefined,
): Promise<boolean> {
  const [original, quantized] = await pair.outputs(item);
  const chosen = original.indexOf(Math.max(...original));
  return quantized[chosen] === Math.max(...quantized) && await margins.isKept(box, chosen, known);
}

function largest({ result }: DomainResult): number {
  return Math.max(...result.outputs.map(({ proven }) => proven));
}

/** All witnesses in one array of the model's input type. */
function witnessFile(reference: Model, domains: readonly DomainResult[]): Uint8Array {
  const { type, dims, size } = domainInput(reference);
  const points = domains.flatMap(({ confirmed }) => confirmed.points);
  const values = new Float64Array(points.length * size);
  points.forEach(({ input }, at) => values.set(input, at * size));
  const items = dims.length > 1 ? dims.slice(1) : dims;
  return encodeNpy(inputTensor(type, [points.length, ...items], values));
}

/** The arithmetic of a model is that of its input's type. */
function checkTypes(...models: readonly Model[]): void {
  for (const { type } of models.map(domainInput)) {
    if (type === "float32" || type === "float64") continue;
    throw new UserError({
      message: `semantics: float32 speaks of models that compute in float32: one takes ${type}`,
      hint: "Take semantics: real",
    });
  }
}
