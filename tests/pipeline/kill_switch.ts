/**
 * Ends its own process, as kill -9 does, in front of, amid or after a certain change that a thread makes to files.
 *
 * @module
 */

/** Which change. */
export interface KillSwitch {
  /** 0 for the main thread, 1 for the first Worker. */
  readonly thread: number;
  /** The how manyeth moment of that thread; 0 to count them only. */
  readonly moment: number;
  /** A file that is told which moment it was, or how many there were: `THREAD COUNT WHAT`. */
  readonly note: string;
}

const note = Deno.writeTextFileSync;

/** Watches what this thread does to files. */
export function arm(killSwitch: KillSwitch, thread: number): void {
  if (killSwitch.moment > 0 && killSwitch.thread !== thread) return;
  let count = 0;
  const pass = (what: string) => {
    count++;
    if (killSwitch.moment === 0) note(`${killSwitch.note}.${thread}`, `${thread} ${count} ${what}`);
    if (count !== killSwitch.moment) return;
    note(killSwitch.note, `${thread} ${count} ${what}`);
    Deno.kill(Deno.pid, "SIGKILL");
    for (;;);
  };
  const paths = new WeakMap<Deno.FsFile, string>();
  for (const name of ["open", "mkdir", "rename", "remove", "writeTextFile", "utime"] as const) {
    watch(Deno, name, async (act, path, ...rest) => {
      const isReading = name === "open" &&
        (rest[0] as Deno.OpenOptions | undefined)?.write !== true;
      if (isReading) return await act(path, ...rest);
      const where = `${name} ${area(name === "rename" ? rest[0] : path)}`;
      pass(`before ${where}`);
      const result = await act(path, ...rest);
      if (result instanceof Deno.FsFile) paths.set(result, String(path));
      pass(`after ${where}`);
      return result;
    });
  }
  for (const name of ["mkdirSync", "renameSync", "writeTextFileSync"] as const) {
    watch(Deno, name, (act, path, ...rest) => {
      const where = `${name} ${area(name === "renameSync" ? rest[0] : path)}`;
      pass(`before ${where}`);
      act(path, ...rest);
      pass(`after ${where}`);
    });
  }
  for (const name of ["write", "sync", "tryLock"] as const) {
    watch(Deno.FsFile.prototype, name, async function (this: Deno.FsFile, act, first, ...rest) {
      const where = `${name} ${area(paths.get(this) ?? "folder")}`;
      if (name !== "write") {
        const result = await act(first, ...rest);
        pass(`after ${where}`);
        return result;
      }
      const bytes = first as Uint8Array;
      const half = await act(bytes.subarray(0, bytes.length >> 1)) as number;
      pass(`amid ${where}`);
      return half + (await act(bytes.subarray(half)) as number);
    });
  }
}

type Act = (...values: unknown[]) => unknown;

/** Puts a function in the place of another one, which it is given. */
function watch<T extends object>(
  owner: T,
  name: keyof T & string,
  watched: (this: never, act: Act, ...values: unknown[]) => unknown,
): void {
  const original = owner[name] as Act;
  Object.defineProperty(owner, name, {
    configurable: true,
    writable: true,
    value(this: never, ...values: unknown[]) {
      return watched.call(this, original.bind(this), ...values);
    },
  });
}

/** The part of a store that a path is in. */
function area(path: unknown): string {
  const [, inside] = String(path).split("/store/");
  if (inside === undefined) return String(path).includes("/store") ? "store" : "outside";
  return inside.split("/")[0]!.replace(
    /^(?!blobs|actions|runs|locks|checkpoints|temporary).*/,
    "other",
  );
}
