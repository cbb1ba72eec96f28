/**
 * Where the native library of ONNX Runtime is.
 *
 * @module
 */

import { fileURLToPath, join } from "../base/path.ts";

const SYSTEMS: Readonly<Record<string, string>> = { windows: "win32" };
const PROCESSORS: Readonly<Record<string, string>> = { x86_64: "x64", aarch64: "arm64" };

/** The file that Deno has to be allowed to load, links resolved; nothing is loaded. */
export function runtimeAddon(): string {
  const main = fileURLToPath(import.meta.resolve("onnxruntime-node"));
  const { os, arch } = Deno.build;
  const platform = join(SYSTEMS[os] ?? os, PROCESSORS[arch] ?? arch);
  const path = join(main, "../../bin/napi-v6", platform, "onnxruntime_binding.node");
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}
