// Writes blobs, results and checkpoints without end, saying after each what is safe from now on.
import { Random } from "../../src/base/random.ts";
import { openStore } from "../../src/store/store.ts";
import { action, keyed } from "./fixture.ts";

const [root, seed] = Deno.args as [string, string];
const store = openStore(root);
const random = Random.from(Number(seed));
for (let index = 0;; index++) {
  const stage = keyed(`stage-${seed}-${index}`);
  await using _lock = await store.lock(stage.key);
  const content = new Uint8Array(random.integer(200_000)).fill(index).fill(Number(seed), 0, 1);
  await store.checkpoints(keyed("long").key).save("state", content);
  const blob = await store.putBlob(content);
  await store.record(stage, action(blob));
  console.log(index);
}
