/**
 * Doing the work of a command in a Worker with fewer rights, for the sake of code that is not Bitbound's.
 *
 * That thread may read what the program may read, and write the store, the exports, the files that the command line names
 * and a folder for temporary files. It may load the library of ONNX Runtime and no other, start no process, and import no
 * module from elsewhere. Threads that it starts have no more rights than it.
 *
 * @module
 */

import { runtimeAddon } from "../engine/runtime_addon.ts";
import { ExitCode } from "./exit_code.ts";
import type { Streams } from "./output/streams.ts";

/** What the thread is told. */
export interface ConfinedWork {
  readonly args: readonly string[];
  readonly debug: boolean;
}

/** Where the system looks for the folder of temporary files. */
const TEMPORARY = Deno.build.os === "windows" ? "TMP" : "TMPDIR";

/**
 * Does the work that arguments ask for.
 *
 * @param writes The files and folders that may be written, absolute.
 */
export async function runConfined(
  args: readonly string[],
  writes: readonly string[],
  { err, debug }: Streams,
): Promise<ExitCode> {
  const scratch = makeScratch();
  const may = [...writes, ...(scratch === undefined ? [] : [scratch])].filter((path) =>
    Deno.permissions.querySync({ name: "write", path }).state === "granted"
  );
  const addon = runtimeAddon();
  const mayLoad = Deno.permissions.querySync({ name: "ffi", path: addon }).state === "granted";
  const permissions: Deno.PermissionOptionsObject = {
    read: "inherit",
    write: may.length > 0 ? may : false,
    net: "inherit",
    env: "inherit",
    sys: "inherit",
    ffi: mayLoad ? [addon] : false,
    run: false,
    import: false,
  };
  const options = { type: "module", name: "bitbound", deno: { permissions } } as const;
  const worker = new Worker(new URL("./confined_worker.ts", import.meta.url), options);
  try {
    return await new Promise<ExitCode>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<ExitCode>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        err.lines(`${err.style.red("error")}: A plugin threw outside of a stage: ${event.message}`);
        resolve(ExitCode.failed);
      };
      worker.postMessage({ args, debug } satisfies ConfinedWork);
    });
  } finally {
    worker.terminate();
    if (scratch !== undefined) Deno.removeSync(scratch, { recursive: true });
  }
}

/** A folder for the temporary files of this process; `undefined` if there may be none. */
function makeScratch(): string | undefined {
  try {
    const folder = Deno.makeTempDirSync({ prefix: "bitbound-" });
    Deno.env.set(TEMPORARY, folder);
    return folder;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
