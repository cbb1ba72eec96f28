/**
 * Pipeline files, and changes by `--set`.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Random } from "../../../src/base/random.ts";
import { loadPipeline } from "../../../src/pipeline/load.ts";
import type { Target } from "../fuzz.ts";
import { mutateText } from "../mutate.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const WORDS = [
  "&a",
  "*a",
  "<<: *a",
  "!!binary",
  "!!set",
  "? x",
  "---",
  "...",
  "|",
  ">-",
  "null",
  "~",
  "true",
  ".nan",
  ".inf",
  "-0",
  "1e999",
  "0x1F",
  "99999999999999999999",
  "2026-01-01",
  "${seed}",
  "${stages.w4.with}",
  "${",
  "$${",
  "__proto__",
  "constructor",
  "toString",
  "with",
  "uses",
  "in",
  "expect",
  "inputs",
  "none",
  "quantize",
  "w4.model",
  "inputs.test",
  "../../../../etc/passwd",
  "<= 1%",
  "0 .. 1",
  "[",
  "]",
  "{",
  "}",
  ",",
  ":",
  "#",
  "\t",
  "\u0000",
  "\ufeff",
  "é\u0301",
];

const SETTINGS = ["seed=1", "w4.with={", "stages[0].uses=x", "a.b.c=1", "=", "inputs.model=*a"];

/** Damaged names of packages would be looked for in a registry. */
function withoutPackages(text: string): string {
  return text.replaceAll(/#.*$/gm, "").replaceAll(/npm:[^\s,}]+/g, "data/images");
}

export function pipelineTarget(folder: string): Promise<Target> {
  const texts = ["pipelines", "examples/ci", "bench/accuracy"].flatMap((place) =>
    [...Deno.readDirSync(join(ROOT, place))].filter(({ name }) => name.endsWith(".yaml"))
      .map(({ name }) => withoutPackages(Deno.readTextFileSync(join(ROOT, place, name))))
  );
  const file = join(folder, "p.yaml");
  return Promise.resolve({
    async attempt(random: Random, keep) {
      const text = mutateText(texts[random.integer(texts.length)]!, WORDS, random);
      const set = random.integer(8) === 0 ? [SETTINGS[random.integer(SETTINGS.length)]!] : [];
      keep({ text, set });
      Deno.writeTextFileSync(file, text);
      await loadPipeline(file, { set });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}
