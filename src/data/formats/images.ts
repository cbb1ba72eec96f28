/**
 * Data sets of JPEG and PNG files.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { digestOf } from "../../store/digest.ts";
import { fileError } from "../problems.ts";
import { readWhole } from "../random_access.ts";
import type { RawItems, Source, SourceArray } from "../source.ts";
import { selectItems } from "../selection.ts";
import type { Format } from "./format.ts";
import { listImages } from "./image_list.ts";

/** JPEG and PNG files. The selection is made when the entry is described, so that no other file is read. */
export const imagesFormat: Format<"images"> = {
  async describe(spec, context) {
    const folder = await context.locate(spec.images, ["images"]);
    const labels = typeof spec.labels === "string"
      ? { csv: spec.labels, file: "file", label: "label" }
      : spec.labels === false || spec.labels === undefined
      ? spec.labels
      : {
        csv: spec.labels.csv,
        file: spec.labels.file ?? "file",
        label: spec.labels.label ?? "label",
      };
    const table = typeof labels === "object"
      ? { ...labels, csv: await context.locate(labels.csv, ["labels"]) }
      : labels;
    const list = listImages(folder, table, spec.classes ?? null);
    const chosen = selectItems(list.files.length, context.selection, folder);
    const files: string[] = [];
    for (const item of chosen) files.push(await context.digest(list.files[item]!));
    const all = list.labels;
    return {
      source: {
        format: "images",
        input: spec.input ?? null,
        files,
        labels: all === undefined ? null : Array.from(chosen, (item) => all[item]!),
      },
      shape: {
        origin: folder,
        arrays: [arrayOf(spec.input)],
        ...(list.classes === undefined ? {} : { classes: list.classes }),
      },
      count: files.length,
      selected: true,
    };
  },

  async open(recipe, resolve): Promise<Source> {
    const { decodeImage } = await importLater<typeof import("../images/decode.ts")>(
      import.meta.resolve("../images/decode.ts"),
    );
    const path = (item: number) => resolve(recipe.files[item]!);
    return {
      origin: `${recipe.files.length} pictures`,
      arrays: [arrayOf(recipe.input ?? undefined)],
      length: recipe.files.length,
      ...(recipe.labels === null ? {} : { labels: Int32Array.from(recipe.labels) }),
      nameOf: (item) => `"${path(item)}"`,
      async read(items): Promise<RawItems> {
        const pictures = [];
        for (let index = 0; index < items.length; index++) {
          const item = items[index]!;
          const file = path(item);
          const bytes = readWhole(file);
          if (digestOf(bytes) !== recipe.files[item]) {
            throw fileError(`File "${file}" changed since the run was planned`, "Run again");
          }
          pictures.push({ picture: await decodeImage(bytes, file) });
        }
        return { arrays: [pictures] };
      },
    };
  },
};

function arrayOf(input: string | undefined): SourceArray {
  return { input, type: "uint8", picture: { channels: undefined }, dims: undefined };
}
