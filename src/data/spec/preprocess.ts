/**
 * The schema of `preprocess:`.
 *
 * @module
 */

import { type Static, Type } from "../../base/type.ts";

const side = Type.Integer({ minimum: 1, maximum: 65536 });

const heightAndWidth = Type.Array(side, {
  minItems: 2,
  maxItems: 2,
  description: "Height and width in pixels",
});

const perChannel = Type.Array(Type.Number(), {
  minItems: 1,
  description: "One number per channel, in the order of `channels`",
});

/** The resampling filters, by the names that Pillow gives them. */
export const FILTERS = ["nearest", "box", "bilinear", "bicubic", "lanczos"] as const;

const filter = Type.Unsafe<typeof FILTERS[number]>(Type.String({
  enum: [...FILTERS],
  description: "How pixels are interpolated; the results are those of Pillow",
  default: "bilinear",
}));

const resize = Type.Union([
  Type.Integer({
    minimum: 1,
    maximum: 65536,
    description: "Length of the shorter side in pixels; the aspect ratio is kept",
  }),
  heightAndWidth,
  Type.Object({
    size: Type.Union([side, heightAndWidth], {
      description: "Shorter side in pixels, or height and width",
      examples: [256, [224, 224]],
    }),
    filter: Type.Optional(filter),
    antialias: Type.Optional(Type.Boolean({
      description:
        "Average over all the pixels that an output pixel covers when shrinking, as Pillow and torchvision do; " +
        "`false` is what OpenCV and TensorFlow do",
      default: true,
    })),
  }, { additionalProperties: false }),
], {
  description:
    "Resizes the picture. A number is the shorter side (the aspect ratio is kept); `[height, width]` stretches",
  examples: [256, [224, 224], { size: 256, filter: "bicubic" }],
});

const crop = Type.Union([
  Type.Integer({ minimum: 1, maximum: 65536, description: "Side of a centred square in pixels" }),
  heightAndWidth,
  Type.Object({
    size: Type.Union([side, heightAndWidth], {
      description: "Side of a square, or height and width, in pixels",
      examples: [224, [224, 224]],
    }),
    at: Type.Optional(Type.Union([
      Type.Literal("center"),
      Type.Array(Type.Integer({ minimum: 0 }), {
        minItems: 2,
        maxItems: 2,
        description: "Top row and left column",
      }),
    ], { description: "Where the crop lies", default: "center", examples: [[0, 0]] })),
  }, { additionalProperties: false }),
], {
  description: "Cuts out a part of the picture, after `resize` and `pad`; centred unless told",
  examples: [224, [224, 224], { size: 224, at: [0, 0] }],
});

/** The element types that `dtype` can name. */
export const DTYPES = [
  "float32",
  "float64",
  "float16",
  "int8",
  "uint8",
  "int32",
  "int64",
  "bool",
] as const;

/** What is done to an item between its file and the model. */
export const preprocessSchema = Type.Object({
  channels: Type.Optional(Type.Unsafe<"rgb" | "bgr" | "gray" | "luma">(Type.String({
    enum: ["rgb", "bgr", "gray", "luma"],
    description:
      "Colour channels and their order. `gray` is 0.299 R + 0.587 G + 0.114 B; `luma` is another name for it (the Y of " +
      "JPEG's YCbCr). Unless told: `rgb` for colour pictures, `gray` for gray ones",
    examples: ["bgr"],
  }))),
  resize: Type.Optional(resize),
  pad: Type.Optional(Type.Union([
    Type.Integer({ minimum: 0, maximum: 65536, description: "Pixels on every side" }),
    Type.Array(Type.Integer({ minimum: 0, maximum: 65536 }), {
      minItems: 4,
      maxItems: 4,
      description: "Pixels at the top, left, bottom and right",
    }),
  ], {
    description: "Adds a border, after `resize` and before `crop`",
    examples: [2, [0, 0, 1, 1]],
  })),
  pad_value: Type.Optional(Type.Number({
    description: "Value of the border, before `scale`, `mean` and `std`",
    default: 0,
  })),
  crop: Type.Optional(crop),
  scale: Type.Optional(Type.Union([
    Type.Number(),
    Type.String({
      pattern: "^[0-9]+(\\.[0-9]+)?/[0-9]+(\\.[0-9]+)?$",
      description: "A fraction",
      examples: ["1/255"],
    }),
  ], {
    description:
      "Factor, applied first: the result is (x · scale − mean) / std. Unless told: 1/255 for pictures with 8 bits a " +
      "channel that become floating point numbers, otherwise 1",
    examples: ["1/255", "1/127.5", 1],
  })),
  mean: Type.Optional(Type.Union([Type.Number(), perChannel], {
    description:
      "Subtracted after `scale`: one number, or one per channel in the order of `channels`",
    default: 0,
    examples: [[0.485, 0.456, 0.406], 1],
  })),
  std: Type.Optional(Type.Union([Type.Number(), perChannel], {
    description: "Divided by, after `mean` was subtracted: one number, or one per channel",
    default: 1,
    examples: [[0.229, 0.224, 0.225]],
  })),
  layout: Type.Optional(Type.Unsafe<"nchw" | "nhwc">(Type.String({
    enum: ["nchw", "nhwc"],
    description: "Order of a batch's dimensions: channels before the pixels, or after",
    default: "nchw",
  }))),
  reshape: Type.Optional(Type.Array(Type.Integer({ minimum: -1 }), {
    description:
      "Shape of one item for the model, without the batch dimension; one −1 is worked out",
    examples: [[784], [1, -1]],
  })),
  dtype: Type.Optional(Type.Unsafe<typeof DTYPES[number]>(Type.String({
    enum: [...DTYPES],
    description:
      "Element type for the model. Unless told: float32, but 32- and 64-bit integers and booleans of arrays stay as they are",
    examples: ["uint8"],
  }))),
  label_offset: Type.Optional(Type.Integer({
    description:
      "Added to every label, for models with an extra class in front (1 for TensorFlow's 1001 classes)",
    default: 0,
    examples: [1],
  })),
}, {
  additionalProperties: false,
  description: "What is done to an item between its file and the model",
});

/** What `preprocess:` says. */
export type PreprocessSpec = Static<typeof preprocessSchema>;

/** What `target:` says for pictures: the same picture, prepared in another way. */
export const pictureTargetSchema = Type.Omit(preprocessSchema, ["label_offset"], {
  additionalProperties: false,
  description:
    "What the model should answer, for models that make pictures: the same picture prepared in this way. What is not " +
    "said is as in `preprocess`, except `resize`, `pad`, `crop` and `reshape`, which are only done when said here",
  examples: [{ resize: [672, 672] }],
});
