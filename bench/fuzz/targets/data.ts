/**
 * Files of data sets, and images.
 *
 * @module
 */

import { join } from "node:path";
import type { Random } from "../../../src/base/random.ts";
import { decodeImage } from "../../../src/data/images/decode.ts";
import {
  decodeRecipe,
  describeDataset,
  encodeRecipe,
  openDataset,
} from "../../../src/data/recipe.ts";
import { digestFile } from "../../../src/store/digest.ts";
import { decodeBase64 } from "../../../tests/data/base64.ts";
import { PICTURES } from "../../../tests/data/pillow_values.ts";
import { SMALL_FILES } from "../../../tests/data/small_files.ts";
import type { Target } from "../fuzz.ts";
import { mutateBytes } from "../mutate.ts";

/** Describes a data set of a damaged file, opens it and reads all of it. */
export function dataTarget(folder: string): Promise<Target> {
  return Promise.resolve({
    async attempt(random: Random, keep) {
      const [name, seed, spec] = SMALL_FILES[random.integer(SMALL_FILES.length)]!;
      const bytes = mutateBytes(seed, random);
      keep({ name, bytes });
      Deno.writeFileSync(join(folder, name), bytes);
      const { recipe, files } = await describeDataset(spec, {
        baseDir: folder,
        digestFile: async (path) => (await digestFile(path)).digest,
      });
      const dataset = await openDataset(
        decodeRecipe(encodeRecipe(recipe)),
        (digest) => files.get(digest)!,
      );
      await dataset.batch(0, Math.min(dataset.length, 100));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

/** Decodes damaged pictures. */
export function imageTarget(): Promise<Target> {
  const pictures = Object.values(PICTURES).map(({ base64 }) => decodeBase64(base64));
  return Promise.resolve({
    async attempt(random: Random, keep) {
      const bytes = mutateBytes(pictures[random.integer(pictures.length)]!, random);
      keep(bytes);
      await decodeImage(bytes, "picture");
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}
