/**
 * A process of a crowd: runs several pipelines at once and prints the digests of what each made.
 *
 * @module
 */

import { join } from "node:path";
import { digestsOf } from "./crowd.ts";
import { run } from "./support.ts";

const [folder, first, count, variants] = Deno.args;
const numbers = Array.from({ length: Number(count) }, (_, index) => Number(first) + index);
const made = await Promise.all(numbers.map(async (number) => {
  const file = join(folder!, `pipeline-${number % Number(variants)}.yaml`);
  return [number, digestsOf(await run(file))];
}));
console.log(JSON.stringify(made));
