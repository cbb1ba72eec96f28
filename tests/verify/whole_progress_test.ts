import assert from "node:assert/strict";
import { Random } from "../../src/base/random.ts";
import { BOUND_FIELDS } from "../../src/verify/bounds/batch.ts";
import { Propagator } from "../../src/verify/bounds/propagate.ts";
import type { RowProgress } from "../../src/verify/bounds/watch.ts";
import { decompose } from "../../src/verify/decompose.ts";
import { marginNetwork, MarginProver } from "../../src/verify/margin.ts";
import { Verifier, type VerifyOptions } from "../../src/verify/verify.ts";
import { PassMeter, type WholeProgress } from "../../src/verify/whole_progress.ts";
import { boxes, chain } from "./chains.ts";

/** Networks so far apart, and a box so wide, that all passes are made. */
const FAR = chain(3, [12, 24, 24, 24, 4], 0.8);
const { lower: LOWER, upper: UPPER } = boxes(Random.from(4, "far"), 1, 12, 20);
const DOMAIN = { lower: LOWER, upper: UPPER };
const WHOLE = { method: "differential", split: false } as const;

async function verify(options: Partial<VerifyOptions> = {}, network = FAR) {
  await using verifier = new Verifier(network, { ...WHOLE, ...options });
  return await verifier.verify(DOMAIN);
}

Deno.test("a pass tells in shares that grow how far it is, and all passes are told of", async () => {
  const told: WholeProgress[] = [];
  const result = await verify({ whole: (progress) => told.push(progress) });
  const parts = [...new Set(told.map(({ part }) => part))];
  assert.deepEqual(parts, ["bounding", "choosing slopes", "comparing with the merged network"]);
  assert.equal(result.omitted, undefined);
});

Deno.test("rows count by what they take, in the order in which they are bounded", async () => {
  await using propagator = new Propagator(FAR);
  const meter = new PassMeter(propagator.network, propagator.targets, true);
  const targets = [...propagator.targets];
  const shares: number[] = [];
  for (const target of targets) {
    for (const view of ["z", "joint", "y"] as const) {
      for (const done of [0, 5, 10]) shares.push(meter.share({ target, view, done, total: 10 }));
    }
  }
  assert.equal(shares[0], 0);
  assert.equal(shares.at(-1), 1);
  shares.forEach((share, at) => assert.ok(at === 0 || share >= shares[at - 1]!));
  // Rows of the later of two layers go back through one more, and differences take three times as much.
  const spans = shares.filter((_, at) => at % 3 === 2).map((to, at) => to - shares[3 * at]!);
  assert.equal(targets.length, 2);
  assert.ok(Math.abs(spans[1]! / spans[0]! - 3) < 1e-9);
  const [first, second] = [24 + 24 * 12, 24 + 24 * 24 + 24 * 12].map((work) => work + 1);
  assert.ok(Math.abs(spans[3]! / spans[0]! - second! / first!) < 1e-9);
  assert.equal(meter.share({ target: FAR.output, view: "joint", done: 0, total: 8 }), 1);
});

Deno.test("no time is left for what makes a bound tighter; the bound holds all the same", async () => {
  const result = await verify({ time: 1e-3 });
  assert.deepEqual(result.omitted, ["slopes", "merged"]);
  const all = await verify();
  const most = (each: typeof all) => Math.max(...each.outputs.map(({ proven }) => proven));
  assert.ok(Number.isFinite(most(result)));
  assert.ok(most(result) >= most(all));
});

Deno.test("a pass that is being made ends when time is over", async () => {
  const network = chain(3, [12, 256, 256, 256, 4], 0.8);
  const { now } = performance;
  let passed = 0;
  performance.now = () => now.call(performance) + passed;
  try {
    const parts: string[] = [];
    const result = await verify({
      time: 3_600_000,
      whole: ({ part, share }) => {
        parts.push(part);
        if (part === "choosing slopes" && share > 0) passed = 4_000_000;
      },
    }, network);
    assert.deepEqual(result.omitted, ["slopes", "merged"]);
    assert.equal(parts.at(-1), "choosing slopes");
  } finally {
    performance.now = now;
  }
});

Deno.test("a signal ends a pass between rows", async () => {
  const network = chain(3, [12, 400, 400, 400, 4], 0.8);
  const controller = new AbortController();
  let told = 0;
  const options = {
    signal: controller.signal,
    whole: () => {
      told++;
      controller.abort(new Error("enough"));
    },
  };
  await assert.rejects(verify(options, network), { message: "enough" });
  assert.ok(told < 4, `${told} reports after the signal`);
});

Deno.test("margins made of what is known of a box are those that are made anew", async () => {
  const network = chain(5, [10, 16, 16, 4], 0.02);
  const within = marginNetwork(network);
  await using verifier = new Verifier(network, { ...WHOLE, within });
  await using margins = new Propagator(within);
  await using prover = new MarginProver(network, "real");
  const kept = new Set<boolean>();
  for (let seed = 0; seed < 12; seed++) {
    const { lower, upper } = boxes(Random.from(seed, "margins"), 1, 10, 0.15);
    await verifier.verify({ lower, upper });
    const { state } = verifier.known!;
    const extended = await margins.extend(state, "differences");
    const anew = await margins.propagate({ count: 1, lower, upper }, "differences");
    for (const field of BOUND_FIELDS) {
      assert.deepEqual(
        extended.bounds.get(within.output)![field],
        anew.bounds.get(within.output)![field],
      );
    }
    for (let chosen = 0; chosen < 4; chosen++) {
      const own = await prover.isKept({ lower, upper }, chosen, state);
      assert.equal(own, await prover.isKept({ lower, upper }, chosen));
      kept.add(own);
    }
  }
  assert.deepEqual([...kept].sort(), [false, true]);
});

Deno.test("a box of known bounds is decomposed without bounding it again", async () => {
  const network = chain(7, [10, 16, 16, 3], 0.02, 0.05);
  const { lower, upper } = boxes(Random.from(1, "decompose"), 1, 10, 0.3);
  const options = { method: "differential", semantics: "float32" } as const;
  const anew: number[] = [], again: number[] = [];
  const whole = (list: number[]) => ({ network, of }: { network: number; of: number }) => {
    list.push(network, of);
  };
  const wanted = await decompose(network, { lower, upper }, { ...options, whole: whole(anew) });
  await using verifier = new Verifier(network, { ...WHOLE, semantics: "float32" });
  const { outputs } = await verifier.verify({ lower, upper });
  const bounds = outputs.map(({ proven }) => proven);
  const found = await decompose(
    network,
    { lower, upper },
    { ...options, bounds, whole: whole(again) },
  );
  assert.deepEqual(found, wanted);
  assert.deepEqual([Math.max(...anew), Math.max(...again)], [4, 3]);
});

Deno.test("reports say which rows are bounded, and never more than there are", async () => {
  const network = chain(3, [12, 300, 300, 300, 4], 0.8);
  const seen: RowProgress[] = [];
  const progress = (rows: RowProgress) => seen.push(rows);
  await using propagator = new Propagator(network, { engine: "graphs", watch: { progress } });
  await propagator.propagate({ count: 1, ...DOMAIN }, "differences");
  assert.ok(seen.length > 0);
  for (const { target, done, total } of seen) {
    assert.ok(propagator.targets.has(target));
    assert.ok(done > 0 && done <= total, `${done} of ${total}`);
  }
});
