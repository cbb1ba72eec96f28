/**
 * Real networks and data that live beside the project, not in it. A clone without them skips the tests that
 * need them, and says so.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { statSync } from "node:fs";

const ROOT = new URL("../../shared/data/", import.meta.url);

/** The path of a file or folder of the shared data; `undefined` where it is not there. */
export function sharedData(path: string): string | undefined {
  const found = fileURLToPath(new URL(path, ROOT));
  return statSync(found, { throwIfNoEntry: false }) === undefined ? undefined : found;
}

/**
 * Registers a test that needs a file or folder of the shared data, which it is given; where it is not there, the
 * test is ignored and its name says why.
 */
export function testWithSharedData(
  name: string,
  path: string,
  test: (path: string, context: Deno.TestContext) => void | Promise<void>,
): void {
  const found = sharedData(path);
  if (found === undefined) {
    Deno.test({ name: `${name} (no shared data: ${path})`, ignore: true, fn() {} });
  } else {
    Deno.test(name, (context) => test(found, context));
  }
}
