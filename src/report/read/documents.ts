/**
 * What stages left as JSON: records of reconstructions, tables of losses, fronts of searches.
 *
 * A record or a front is known by its form, so that stages of plugins get the same charts.
 *
 * @module
 */

import { type Static, type TProperties, type TSchema, Type } from "../../base/type.ts";
import { asSchema } from "../../registry/schema.ts";
import { fits } from "../../registry/validate.ts";
import type {
  ReportFront,
  ReportReconstruction,
  ReportSensitivity,
  ReportVerification,
} from "../document.ts";
import type { RunArtifacts } from "./artifacts.ts";

/** An object of which only some fields matter. */
function form<P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: true });
}

const Reconstruction = form({
  units: Type.Array(form({
    name: Type.String(),
    layers: Type.Array(Type.String()),
    loss_before: Type.Number(),
    loss_after: Type.Number(),
    changed: Type.Number(),
    steps: Type.Number(),
    kept: Type.Boolean(),
  })),
  network: Type.Optional(form({
    divergence_before: Type.Number(),
    divergence_after: Type.Number(),
    steps: Type.Number(),
    kept: Type.Boolean(),
  })),
});

const Front = form({
  measure: Type.String(),
  cost: Type.String(),
  layers: Type.Array(Type.String()),
  chosen: form({
    bits: Type.Array(Type.Number()),
    loss: Type.Number(),
    cost: Type.Number(),
  }),
  points: Type.Array(form({ cost: Type.Number(), loss: Type.Number() })),
  trials: Type.Optional(Type.Array(form({
    cost: Type.Number(),
    loss: Type.Number(),
    measured: Type.Record(Type.String(), Type.Number()),
  }))),
});

const Verification = form({
  method: Type.String(),
  semantics: Type.String(),
  domains: Type.Array(form({
    name: Type.String(),
    boxes: Type.Number(),
    settled: Type.Number(),
    outputs: Type.Array(form({
      found: Type.Number(),
      proven: Type.Union([Type.Number(), Type.Null()]),
    })),
    kept: Type.Optional(Type.Boolean()),
  })),
  certificate: Type.Optional(form({
    claims: Type.Optional(Type.Number()),
    parts: Type.Optional(Type.Number()),
    none: Type.Optional(Type.String()),
  })),
  decomposition: Type.Optional(form({
    domain: Type.String(),
    total: Type.Number(),
    weights: Type.Number(),
    rounding: Type.Number(),
    saturation: Type.Number(),
    arithmetic: Type.Number(),
  })),
});

/** Reads what was proven of differences between models. */
export async function readVerifications(artifacts: RunArtifacts): Promise<ReportVerification[]> {
  return (await documents(artifacts, Verification)).map((
    [stage, { method, semantics, domains, certificate, decomposition }],
  ) => {
    const { model, reference } = artifacts.inputsOf(stage);
    return {
      stage,
      ...(model !== undefined && { model }),
      ...(reference !== undefined && { reference }),
      method,
      semantics,
      domains: domains.map(({ name, boxes, settled, outputs, kept }) => ({
        name,
        boxes,
        settled,
        outputs: outputs.map(({ found, proven }) => ({
          found,
          ...(proven !== null && { proven }),
        })),
        ...(kept !== undefined && { kept }),
      })),
      ...(certificate && { certificate }),
      ...(decomposition && { decomposition }),
    };
  });
}

/** Reads the records of reconstructions. */
export async function readReconstructions(
  artifacts: RunArtifacts,
): Promise<ReportReconstruction[]> {
  return (await documents(artifacts, Reconstruction)).map(([stage, { units, network }]) => ({
    stage,
    units: units.map((
      { name, layers, loss_before, loss_after, changed, steps, kept },
    ) => ({ name, layers, loss_before, loss_after, changed, steps, kept })),
    ...(network !== undefined && { network }),
  }));
}

/** Reads the fronts of searches. */
export async function readFronts(artifacts: RunArtifacts): Promise<ReportFront[]> {
  return (await documents(artifacts, Front)).map((
    [stage, { measure, cost, layers, chosen, points, trials = [] }],
  ) => ({
    stage,
    measure,
    cost,
    chosen: { cost: chosen.cost, loss: chosen.loss },
    points: points.map(({ cost, loss }) => ({ cost, loss })),
    trials: trials.map(({ cost, loss, measured }) => ({ cost, loss, measured: { ...measured } })),
    widths: layers.map((layer, index) => ({ layer, bits: chosen.bits[index]! })),
  }));
}

/** Reads the tables of what layers lose. */
export async function readSensitivities(artifacts: RunArtifacts): Promise<ReportSensitivity[]> {
  const tables: ReportSensitivity[] = [];
  for (const artifact of artifacts.made("sensitivity")) {
    const table = await artifacts.load(artifact, "sensitivity");
    if (table === undefined) continue;
    const { measure, widths, layers, activations = [], activation_widths = [] } = table;
    tables.push({
      stage: artifact.stage!,
      measure,
      widths: [...widths],
      layers: layers.map(({ name, elements, entries }) => ({
        name,
        elements,
        losses: lossesAt(widths, entries),
      })),
      activation_widths: [...activation_widths],
      activations: activations.map(({ name, entries }) => ({
        name,
        losses: lossesAt(activation_widths, entries),
      })),
    });
  }
  return tables;
}

function lossesAt(
  widths: readonly number[],
  entries: readonly { readonly bits: number; readonly loss: number }[],
): number[] {
  return widths.map((width) => entries.find(({ bits }) => bits === width)!.loss);
}

async function documents<S extends TSchema>(
  artifacts: RunArtifacts,
  schema: S,
): Promise<(readonly [stage: string, value: Static<S>])[]> {
  const wanted = asSchema(schema);
  const found: (readonly [string, Static<S>])[] = [];
  for (const artifact of artifacts.made("json")) {
    const value = await artifacts.load(artifact, "json");
    if (value === undefined || !fits(wanted, value)) continue;
    found.push([artifact.stage!, value as Static<S>]);
  }
  return found;
}
