/**
 * The boxes that the parameter `domain` describes.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { UserError } from "../../base/errors.ts";
import type { Model } from "../../onnx/model.ts";
import type { InputArtifacts } from "../../registry/stage.ts";
import { boxesOf, rangeDomain, vnnlibDomain } from "../../verify/domain/domains.ts";
import { domainInput, type NamedBox } from "../../verify/domain/input.ts";
import type { inputs, Parameters } from "./ports.ts";

type Given = InputArtifacts<typeof inputs>;

/**
 * The boxes.
 *
 * @throws {UserError} If what the domain needs is not there, or does not fit the model's input.
 */
export async function domainOf(
  domain: Parameters["domain"],
  reference: Model,
  given: Given,
): Promise<NamedBox[]> {
  const input = domainInput(reference);
  if (domain === "range") return rangeDomain(input, await inputRange(input.name, reference, given));
  if (domain === "property") {
    const { property } = given;
    if (property === undefined) {
      throw new UserError({
        message: "domain: property needs a VNN-LIB file",
        hint: "Name it under inputs, such as property: { file: prop_3.vnnlib }",
      });
    }
    const text = await readFile(property.path, "utf8");
    return vnnlibDomain(input, text, property.origin);
  }
  const { test } = given;
  return await boxesOf(input, domain, test && { value: await test.load(), origin: test.origin });
}

/** What ONNX models for images can say of their pixels, in the metadata `Image.NominalPixelRange`. */
const PIXEL_RANGES: Readonly<Record<string, { readonly min: number; readonly max: number }>> = {
  NominalRange_0_255: { min: 0, max: 255 },
  Normalized_0_1: { min: 0, max: 1 },
  Normalized_1_1: { min: -1, max: 1 },
  NominalRange_16_235: { min: 16, max: 235 },
};

/** The range that the model declares, or else that calibration saw. */
async function inputRange(name: string, reference: Model, { ranges }: Given) {
  const declared = reference.metadata.get("Image.NominalPixelRange");
  return PIXEL_RANGES[declared ?? ""] ?? (await ranges?.load())?.tensors[name];
}
