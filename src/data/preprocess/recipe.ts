/**
 * Fills in the defaults of `preprocess:` and finds what does not fit the data.
 *
 * @module
 */

import type { DatasetType } from "../dataset.ts";
import { fieldError, shown } from "../problems.ts";
import type { PreprocessRecipe } from "../recipe_types.ts";
import type { SourceArray } from "../source.ts";
import type { PreprocessSpec } from "../spec/preprocess.ts";

type Fields = PreprocessSpec & { readonly label_offset?: number | undefined };

/** The fields that only make sense for pictures. */
const PICTURE_FIELDS = ["channels", "resize", "pad", "pad_value", "crop", "layout"] as const;

/**
 * The whole of what is done to the items of some arrays.
 *
 * @param fields What the entry says.
 * @param arrays The arrays that it is done to.
 * @param at Where the fields stand in the entry, for messages.
 * @param imageHint How this format's arrays are declared to be pictures, if they can be.
 * @throws {UserError} If a field does not fit the arrays or another field.
 */
export function preprocessRecipe(
  fields: Fields,
  arrays: readonly SourceArray[],
  at: "preprocess" | "target",
  imageHint?: string,
): PreprocessRecipe {
  const pictures = arrays.filter((array) => array.picture !== undefined);
  if (pictures.length < arrays.length) {
    const field = PICTURE_FIELDS.find((name) => asksFor(fields, name));
    if (field !== undefined) {
      throw fieldError(
        [at, field],
        `${at}.${field} needs pictures, but items are numbers of shape ${
          shown(arrays[0]?.dims ?? [])
        }`,
        imageHint ?? `Leave out ${field}`,
      );
    }
  }
  const sourceChannels = new Set(pictures.map((array) => array.picture!.channels));
  const channels = channelsOf(fields, sourceChannels, at);
  const bytes = arrays.every((array) => array.type === "uint8" && array.picture !== undefined);
  const dtype = arrays.map((array) => fields.dtype ?? defaultType(array));
  const floating = dtype.every((type) => type.startsWith("float"));
  const recipe: PreprocessRecipe = {
    channels,
    resize: resizeOf(fields.resize),
    pad: padOf(fields, at),
    crop: cropOf(fields.crop),
    scale: scaleOf(fields.scale, at) ?? [1, bytes && floating ? 255 : 1],
    mean: listOf(fields.mean, 0),
    std: listOf(fields.std, 1),
    layout: fields.layout ?? "nchw",
    reshape: fields.reshape ?? null,
    dtype,
  };
  if (recipe.std.some((value) => value === 0)) {
    throw fieldError([at, "std"], `${at}.std must not be 0`);
  }
  if ((fields.reshape ?? []).filter((size) => size === -1).length > 1) {
    throw fieldError([at, "reshape"], `${at}.reshape can have only one −1`);
  }
  if ((fields.reshape ?? []).includes(0)) {
    throw fieldError([at, "reshape"], `${at}.reshape must not have a 0`);
  }
  if (pictures.length > 0) {
    const count = channels === null
      ? sourceChannels.size === 1 ? [...sourceChannels][0] : undefined
      : channels === "gray"
      ? 1
      : 3;
    checkLengths(recipe, count, at);
  }
  return recipe;
}

/** Whether a field asks for something: a spelled-out default asks for nothing. */
function asksFor(fields: Fields, name: typeof PICTURE_FIELDS[number]): boolean {
  const value = fields[name];
  return value !== undefined && !(name === "layout" && value === "nchw") &&
    !(name === "pad_value" && value === 0);
}

/** What `target:` of a picture format means: colours and values as the inputs', but the picture's own size. */
export function targetFields(target: PreprocessSpec, preprocess: PreprocessSpec): PreprocessSpec {
  const { channels, scale, mean, std, layout, dtype } = preprocess;
  const inherited = { channels, scale, mean, std, layout, dtype };
  const given = Object.entries(inherited).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...target };
}

function channelsOf(
  fields: Fields,
  sourceChannels: ReadonlySet<number | undefined>,
  at: string,
): PreprocessRecipe["channels"] {
  const odd = [...sourceChannels].find((count) =>
    count !== undefined && count !== 1 && count !== 3
  );
  if (fields.channels !== undefined) {
    if (odd !== undefined) {
      throw fieldError(
        [at, "channels"],
        `${at}.channels is ${fields.channels}, but the pictures have ${odd} channels, expected 1 or 3`,
        "Leave out channels to keep them as they are",
      );
    }
    return fields.channels === "luma" ? "gray" : fields.channels;
  }
  if (odd !== undefined || sourceChannels.size === 0) return null;
  return sourceChannels.size === 1 && sourceChannels.has(1) ? "gray" : "rgb";
}

function defaultType(array: SourceArray): DatasetType {
  switch (array.type) {
    case "int32":
    case "int64":
    case "bool":
      return array.type;
    case "uint32":
    case "uint64":
      return "int64";
    default:
      return "float32";
  }
}

function resizeOf(resize: Fields["resize"]): PreprocessRecipe["resize"] {
  if (resize === undefined) return null;
  const full = typeof resize === "number" || Array.isArray(resize) ? { size: resize } : resize;
  return {
    size: typeof full.size === "number" ? full.size : pair(full.size),
    filter: full.filter ?? "bilinear",
    antialias: full.antialias ?? true,
  };
}

function padOf(fields: Fields, at: string): PreprocessRecipe["pad"] {
  const { pad } = fields;
  if (pad === undefined) {
    if ((fields.pad_value ?? 0) === 0) return null;
    throw fieldError([at, "pad_value"], `${at}.pad_value is given without ${at}.pad`);
  }
  const [top = 0, left = 0, bottom = 0, right = 0] = typeof pad === "number"
    ? [pad, pad, pad, pad]
    : pad;
  return { sides: [top, left, bottom, right], value: fields.pad_value ?? 0 };
}

function cropOf(crop: Fields["crop"]): PreprocessRecipe["crop"] {
  if (crop === undefined) return null;
  const full = typeof crop === "number" || Array.isArray(crop) ? { size: crop } : crop;
  const at = full.at ?? "center";
  return {
    size: typeof full.size === "number" ? [full.size, full.size] : pair(full.size),
    at: at === "center" ? at : pair(at),
  };
}

/** A factor as numerator and denominator, so that 1/255 is exact. */
function scaleOf(scale: Fields["scale"], at: string): [number, number] | undefined {
  if (scale === undefined) return undefined;
  if (typeof scale === "number") return [scale, 1];
  const [numerator, denominator] = scale.split("/").map(Number);
  if (numerator === undefined || !denominator || !Number.isFinite(numerator / denominator)) {
    throw fieldError(
      [at, "scale"],
      `${at}.scale must be a number or a fraction such as 1/255: current value is ${scale}`,
    );
  }
  return [numerator, denominator];
}

function listOf(value: number | readonly number[] | undefined, otherwise: number): number[] {
  return value === undefined ? [otherwise] : typeof value === "number" ? [value] : [...value];
}

function pair(values: readonly number[]): [number, number] {
  return [values[0]!, values[1]!];
}

function checkLengths(recipe: PreprocessRecipe, channels: number | undefined, at: string): void {
  for (const name of ["mean", "std"] as const) {
    const { length } = recipe[name];
    if (length === 1 || channels === undefined || length === channels) continue;
    throw fieldError(
      [at, name],
      `${at}.${name} has ${length} numbers, but the pictures have ${
        channels === 1 ? "1 channel" : `${channels} channels`
      }`,
      "Give one number, or one per channel; channels chooses the channels",
    );
  }
}
