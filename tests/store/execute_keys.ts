// Executes the stages 0 … n − 1 the way a run does, noting each execution in a log.
import { openStore } from "../../src/store/store.ts";
import { action, keyed } from "./fixture.ts";

const [root, count, log] = Deno.args as [string, string, string];
await using store = openStore(root);
let hits = 0;
for (let index = 0; index < Number(count); index++) {
  const stage = keyed(`stage-${index}`);
  await using _lock = await store.lock(stage.key);
  if ((await store.lookup(stage.key)).action !== undefined) {
    hits++;
    continue;
  }
  await Deno.writeTextFile(log, `${index}\n`, { append: true });
  await new Promise((resolve) => setTimeout(resolve, 3));
  const blob = await store.putBlob(new TextEncoder().encode(`result ${index}`));
  await store.record(stage, action(blob));
}
console.log(hits);
