/**
 * Verification on known networks, beside the numbers that it has to reach.
 *
 *     deno task bench:verify --row "p3 fp16" --networks 6 --threads 2
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { Attacker } from "../src/verify/attack/attack.ts";
import { ExpandThreads } from "../src/verify/split/pool.ts";
import type { SearchResult } from "../src/verify/split/search.ts";
import { Verifier } from "../src/verify/verify.ts";
import { zonotopeBracket } from "../src/verify/zonotope/bracket.ts";
import type { Case } from "./verify/cases.ts";
import { type Row, rows } from "./verify/rows.ts";

const { values: given } = parseArgs({
  options: {
    row: { type: "string", default: "" },
    networks: { type: "string", default: "1000" },
    threads: { type: "string", default: "1" },
    boxes: { type: "string", default: "Infinity" },
  },
});
const THREADS = Number(given.threads);

/** Verifies cases; only that counts for the time. */
class Runner implements AsyncDisposable {
  /** Seconds. */
  wall = 0;
  processor = 0;
  readonly #row: Row;
  #verifier: Verifier | undefined;
  #attacker: Attacker | undefined;
  #pair: Case["pair"] | undefined;

  constructor(row: Row) {
    this.#row = row;
  }

  async run(each: Case): Promise<SearchResult> {
    if (each.pair !== this.#pair) {
      await this[Symbol.asyncDispose]();
      this.#pair = each.pair;
      if (this.#row.attacks) this.#attacker = await Attacker.open(each.pair);
    }
    const found = await this.#attacker?.attack(each.box) ?? [];
    const points = [
      ...each.points ?? [],
      ...new Set(found.flatMap(({ highest, lowest }) => [highest.input, lowest.input])),
    ];
    const [began, before] = [performance.now(), process.cpuUsage()];
    const result = await this.#verify(each, points);
    const { user, system } = process.cpuUsage(before);
    this.wall += (performance.now() - began) / 1000;
    this.processor += (user + system) / 1e6;
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#verifier?.[Symbol.asyncDispose]();
    await this.#attacker?.[Symbol.asyncDispose]();
    this.#verifier = undefined;
  }

  async #verify({ pair, box }: Case, points: readonly Float64Array[]): Promise<SearchResult> {
    const { method, ...options } = this.#row.options;
    if (method === "zonotope") return zonotopeBracket(pair, box, points, { semantics: "real" });
    this.#verifier ??= new Verifier(pair, { ...options, method, threads: THREADS, pool });
    return await this.#verifier.verify(box, points);
  }
}

/** For all networks of a row. */
await using pool = THREADS > 1 ? new ExpandThreads(THREADS) : undefined;

for (const row of rows(Number(given.boxes))) {
  if (!row.name.includes(given.row)) continue;
  await using runner = new Runner(row);
  const results: SearchResult[] = [];
  for await (const each of row.cases()) {
    if (results.length === Number(given.networks)) break;
    results.push(await runner.run(each));
  }
  const { wall, processor } = runner;
  // In kilobytes, of the whole run so far.
  const memory = process.resourceUsage().maxRSS / 2 ** 20;
  console.log(
    `${row.name.padEnd(40)} required ${row.required.padEnd(34)} ${row.summarize(results)}; ` +
      `${wall.toFixed(1)} s, ${processor.toFixed(1)} s of processor time, ${memory.toFixed(1)} GiB`,
  );
}
