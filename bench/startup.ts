/**
 * How long the program takes when there is nothing to compute, beside Deno's own start.
 *
 *     deno bench --allow-read --allow-write --allow-env --allow-run bench/startup.ts
 *
 * @module
 */

import { call, project, workspace } from "../tests/cli/fixture.ts";

const cached = workspace("  - uses: count\n  - id: more\n    uses: count\n");
await cached.call("run", "p.yaml");
globalThis.addEventListener("unload", () => Deno.removeSync(cached.path, { recursive: true }));

const rounds = { group: "start", n: 20, warmup: 2 };

Deno.bench("deno eval 0", { ...rounds, baseline: true }, async () => {
  await new Deno.Command(Deno.execPath(), { args: ["eval", "0"] }).output();
});

Deno.bench("bitbound --help", rounds, async () => {
  await call(["--help"]);
});

Deno.bench("bitbound check pipelines/digits.yaml", rounds, async () => {
  await call(["check", "pipelines/digits.yaml"], { cwd: project });
});

Deno.bench("bitbound run, two stages, cached", rounds, async () => {
  await cached.call("run", "p.yaml");
});
