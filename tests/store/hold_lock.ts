// Takes the lock of a stage, says so, and holds it until it is killed.
import { openStore } from "../../src/store/store.ts";
import { keyed } from "./fixture.ts";

const store = openStore(Deno.args[0]!);
await store.lock(keyed("held").key);
console.log("held");
setInterval(() => {}, 1000);
