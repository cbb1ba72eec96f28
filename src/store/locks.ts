/**
 * Locks between processes and threads, held through the operating system: a process that dies, however it
 * dies, holds nothing.
 *
 * @module
 */

/** How long to wait before looking again: from the first number to the second. */
const POLL_MILLISECONDS = [5, 100] as const;

/** A held lock. */
export interface Lock extends AsyncDisposable {
  /** Gives it back. */
  release(): Promise<void>;
}

/** How to wait for a lock. */
export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called once if somebody else has it. */
  readonly onWait?: () => void;
}

/**
 * Takes a lock on a file, creating it, and removes the file when the lock is given back.
 *
 * @throws The signal's reason, if aborted.
 */
export async function lockFile(path: string, options: LockOptions = {}): Promise<Lock> {
  let waited = false;
  let pause: number = POLL_MILLISECONDS[0];
  for (;;) {
    options.signal?.throwIfAborted();
    const file = await Deno.open(path, { create: true, write: true, read: true });
    let held = false;
    try {
      // The holder before may have removed the file between our opening and locking it.
      held = await file.tryLock(true) && await isSame(file, path);
    } finally {
      if (!held) file.close();
    }
    // A file that cannot be removed is only untidy: what locks is the open handle.
    if (held) return holding(file, () => Deno.remove(path).catch(() => {}));
    if (!waited) options.onWait?.();
    waited = true;
    await sleep(pause, options.signal);
    pause = Math.min(pause * 2, POLL_MILLISECONDS[1]);
  }
}

/** Whether anybody holds the lock that {@linkcode lockFile} gives on a file. */
export async function isLocked(path: string): Promise<boolean> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  try {
    // Shared, so that several who ask at once do not see each other.
    return !(await file.tryLock(false));
  } finally {
    file.close();
  }
}

/**
 * Takes a lock that many may hold at once (`shared`) or only one (`exclusive`), on a file that stays.
 *
 * @returns `undefined` if others hold it in a way that does not allow this.
 */
export async function tryLockFile(
  path: string,
  mode: "shared" | "exclusive",
): Promise<Lock | undefined> {
  const file = await openLockFile(path);
  let held = false;
  try {
    held = await file.tryLock(mode === "exclusive");
  } finally {
    if (!held) file.close();
  }
  return held ? holding(file, () => Promise.resolve()) : undefined;
}

/** Like {@linkcode tryLockFile}, but waits. */
export async function waitForLock(
  path: string,
  mode: "shared" | "exclusive",
  options: LockOptions = {},
): Promise<Lock> {
  let pause: number = POLL_MILLISECONDS[0];
  for (;;) {
    options.signal?.throwIfAborted();
    const lock = await tryLockFile(path, mode);
    if (lock !== undefined) return lock;
    await sleep(pause, options.signal);
    pause = Math.min(pause * 2, POLL_MILLISECONDS[1]);
  }
}

/** A lock needs no right to write, so that a store one may only read can be used. */
async function openLockFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await Deno.open(path, { read: true, write: true, create: true });
  }
}

function holding(file: Deno.FsFile, before: () => Promise<void>): Lock {
  let released = false;
  const release = async () => {
    if (released) return;
    released = true;
    await before();
    file.close();
  };
  return { release, [Symbol.asyncDispose]: release };
}

async function isSame(file: Deno.FsFile, path: string): Promise<boolean> {
  const there = await Deno.stat(path).catch(() => undefined);
  if (there === undefined) return false;
  const opened = await file.stat();
  return there.ino === opened.ino && there.dev === opened.dev;
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
