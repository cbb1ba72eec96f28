import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Action, type BlobInfo, keyOf, openStore, type Store } from "../../src/store/store.ts";

/** A folder that is removed in the end. */
export function temporaryFolder(): { path: string } & AsyncDisposable {
  const path = Deno.makeTempDirSync({ prefix: "bitbound-store-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A store in a folder of its own, and the warnings it gave. */
export function temporaryStore():
  & { store: Store; warnings: string[]; root: string }
  & AsyncDisposable {
  const folder = temporaryFolder();
  const warnings: string[] = [];
  const root = join(folder.path, "store");
  const store = openStore(root, { onWarning: (message) => warnings.push(message) });
  return {
    store,
    warnings,
    root,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A key that differs by name. */
export function keyed(name: string) {
  return keyOf({ stage: name, version: 1, parameters: {}, inputs: [], seed: 0 });
}

/** A result with one output. */
export function action(blob: BlobInfo, rest: Partial<Action> = {}): Action {
  return {
    outputs: { out: { kind: "json", ...blob } },
    metrics: { top1: 0.5 },
    warnings: ["careful"],
    seconds: 1.5,
    run: "20260101-000000-aaaaaa",
    finished: "2026-01-01T00:00:00.000Z",
    ...rest,
  };
}

/** All files of a folder, relative to it, sorted. */
export function filesOf(root: string, under = ""): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(join(root, under))) {
    const path = join(under, entry.name);
    if (entry.isDirectory) found.push(...filesOf(root, path));
    else found.push(path);
  }
  return found.sort();
}

/** Starts one of the scripts beside this file in a process of its own. */
export function start(script: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      fileURLToPath(new URL(script, import.meta.url)),
      ...args,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}
