/**
 * Disks that are soon full.
 *
 * @module
 */

import assert from "node:assert/strict";

/** Mounts a disk of its own in memory, if this user may; gives whether it did. */
export function mount(path: string, options: string): boolean {
  if (Deno.build.os !== "linux") return false;
  const { success } = new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", options, "tmpfs", path],
    stderr: "null",
  }).outputSync();
  return success;
}

/** Takes a disk away. */
export function unmount(path: string): void {
  assert.ok(new Deno.Command("umount", { args: [path] }).outputSync().success);
}

const mountable = (() => {
  const path = Deno.makeTempDirSync();
  try {
    if (!mount(path, "size=64k")) return false;
    unmount(path);
    return true;
  } catch {
    return false;
  } finally {
    Deno.removeSync(path);
  }
})();

/** Registers a test that is given a folder on a disk of 256 KiB; where no disk can be mounted, its name says so. */
export function diskTest(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test({
    name: mountable ? name : `${name} (this user may not mount a disk)`,
    ignore: !mountable,
    async fn() {
      const path = await Deno.makeTempDir({ prefix: "bitbound-disk-" });
      try {
        assert.ok(mount(path, "size=256k"));
        try {
          await body(path);
        } finally {
          unmount(path);
        }
      } finally {
        await Deno.remove(path);
      }
    },
  });
}
