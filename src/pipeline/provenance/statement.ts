/**
 * What an exported model was made from, in the form that other tools read: an in-toto statement (version 1) with SLSA's
 * provenance (version 1) as its predicate.
 *
 * It holds no times, paths of a machine, host names or ids of runs: the same run elsewhere gives the same bytes.
 *
 * @module
 */

import { canonicalJson, type JsonValue } from "../../base/canonical_json.ts";
import { basename, dirname, relative } from "../../base/path.ts";
import { VERSION } from "../../base/version.ts";
import { RUNTIME_VERSION } from "../../engine/identity.ts";
import { digestOf } from "../../store/digest.ts";
import type { Digest, Key, KeyManifest } from "../../store/store.ts";
import type { StageOutcome } from "../execute.ts";
import { dependencies, type PipelineStage } from "../pipeline.ts";
import type { Plan } from "../plan.ts";
import { provenancePath } from "../publish.ts";

export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
export const PREDICATE_TYPE = "https://slsa.dev/provenance/v1";
export const BUILD_TYPE = "urn:bitbound:pipeline:1";
const BUILDER = "urn:bitbound:run";

/** Something by its digest. */
export interface Descriptor {
  readonly name: string;
  readonly digest: Readonly<Record<string, string>>;
  readonly annotations?: { readonly [name: string]: JsonValue };
}

/** A stage, as the statement tells it. */
export interface StatedStage {
  readonly id: string;
  readonly key: Key;
  /** Hashes to the key. */
  readonly manifest: KeyManifest;
  readonly outputs: Readonly<Record<string, Digest>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly expects: readonly {
    readonly metric: string;
    readonly condition: string;
    readonly met: boolean;
  }[];
}

/** The statement. */
export interface Statement {
  readonly _type: typeof STATEMENT_TYPE;
  /** The exported files, by their path from the statement. */
  readonly subject: readonly Descriptor[];
  readonly predicateType: typeof PREDICATE_TYPE;
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: typeof BUILD_TYPE;
      readonly externalParameters: {
        readonly pipeline: string;
        /** The stage that exported. */
        readonly stage: string;
        readonly seed: number;
        readonly settings: readonly string[];
      };
      /** The pipeline's file and its inputs. */
      readonly resolvedDependencies: readonly Descriptor[];
    };
    readonly runDetails: {
      readonly builder: {
        readonly id: string;
        readonly version: Readonly<Record<string, string>>;
      };
      /** What was measured: documents such as evaluations and certificates. */
      readonly byproducts: readonly Descriptor[];
    };
    /** Whatever the files were made by, and whatever measured the exported model, in the order of execution. */
    readonly bitbound_stages: readonly StatedStage[];
  };
}

/** A stage that succeeded. */
interface Done {
  readonly stage: PipelineStage;
  readonly outcome: StageOutcome;
  readonly manifest: KeyManifest;
}

/** Kinds of artifacts that are models. */
const MODELS = new Set(["model", "quantized-model"]);

/**
 * The statement of a stage that exported something.
 *
 * @param done The stages of the run that succeeded, by id.
 */
export function statementOf(id: string, plan: Plan, done: ReadonlyMap<string, Done>): Statement {
  const { pipeline } = plan;
  const stages = statedStages(id, done);
  const { stage, outcome } = done.get(id)!;
  const from = dirname(provenancePath(stage, pipeline)!);
  return {
    _type: STATEMENT_TYPE,
    subject: outcome.published.map(({ output, path }) => ({
      name: relative(from, path).replaceAll("\\", "/"),
      digest: { sha256: outcome.outputs[output]!.digest },
    })),
    predicateType: PREDICATE_TYPE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          pipeline: pipeline.name,
          stage: id,
          seed: pipeline.seed,
          settings: pipeline.settings,
        },
        resolvedDependencies: dependenciesOf(plan, stages),
      },
      runDetails: {
        builder: {
          id: BUILDER,
          version: { bitbound: VERSION, deno: Deno.version.deno, onnxruntime: RUNTIME_VERSION },
        },
        byproducts: stages.flatMap(({ stage, outcome }) =>
          Object.entries(outcome.outputs)
            .filter(([, { kind }]) => stage.id !== id && !MODELS.has(kind))
            .map(([port, { digest, kind }]) => ({
              name: `${stage.id}.${port}`,
              digest: { sha256: digest },
              annotations: { kind },
            }))
        ),
      },
      bitbound_stages: stages.map(({ stage, outcome, manifest }) => ({
        id: stage.id,
        key: outcome.key!,
        manifest,
        outputs: Object.fromEntries(
          Object.entries(outcome.outputs).map(([port, { digest }]) => [port, digest]),
        ),
        metrics: outcome.metrics,
        expects: outcome.expects.map(({ metric, condition, met }) => ({ metric, condition, met })),
      })),
    },
  };
}

/** The stages that a stage's files come from, and those that measured the model in them, with all that they come from. */
function statedStages(id: string, done: ReadonlyMap<string, Done>): Done[] {
  const models = new Set(
    done.get(id)!.manifest.inputs.filter(({ kind }) => MODELS.has(kind)).map(({ digest }) =>
      digest
    ),
  );
  const wanted = new Set([id]);
  for (const { stage, manifest, outcome } of done.values()) {
    const measures = manifest.inputs.some(({ digest }) => models.has(digest)) &&
      Object.keys(outcome.metrics).length > 0 && outcome.published.length === 0 &&
      Object.values(outcome.outputs).every(({ kind }) => !MODELS.has(kind));
    if (measures) wanted.add(stage.id);
  }
  // A set can grow while it is gone through.
  for (const each of wanted) {
    const found = done.get(each);
    for (const before of found === undefined ? [] : dependencies(found.stage)) wanted.add(before);
  }
  return [...done.values()].filter(({ stage }) => wanted.has(stage.id));
}

function dependenciesOf({ pipeline, inputs }: Plan, stages: readonly Done[]): Descriptor[] {
  const taken = new Set(
    stages.flatMap(({ stage }) =>
      [...stage.inputs.values()].flatMap((from) => from.from === "inputs" ? [from.name] : [])
    ),
  );
  const file = pipeline.source === undefined ? [] : [{
    name: basename(pipeline.file),
    digest: { sha256: digestOf(pipeline.source) },
  }];
  return [
    ...file,
    ...[...inputs].filter(([name]) => taken.has(name)).map(([name, { record }]) => ({
      name: `inputs.${name}`,
      // The digest of a model in several files is of their digests.
      digest: { [record.external === undefined ? "sha256" : "bitboundModel"]: record.digest },
      annotations: {
        kind: record.kind,
        spec: pipeline.inputs.get(name)!.spec,
        ...(record.external !== undefined && { external: { ...record.external } }),
      },
    })),
  ];
}

/** The text of a statement: its names sorted, so that it has only one. */
export function statementText(statement: Statement): string {
  const sorted = JSON.parse(canonicalJson(statement as unknown as JsonValue));
  return `${JSON.stringify(sorted, null, 2)}\n`;
}
