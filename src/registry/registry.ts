/**
 * Which stages there are: those that come with Bitbound and those of a pipeline's plugins.
 *
 * @module
 */

import type { Digest } from "../store/digest.ts";
import { definitionProblems } from "./definition.ts";
import type { AnyStage } from "./stage.ts";

/** A stage and where it comes from. */
export interface RegisteredStage {
  readonly definition: AnyStage;
  /** For a stage of a plugin. */
  readonly plugin?: Plugin;
}

/** A module with stages. */
export interface Plugin {
  /** A `file:` URL that any thread can import. */
  readonly module: string;
  /** Of its source and of what it imports from beside it, or of its package; part of the cache key. */
  readonly digest: Digest;
  /** The folder of the npm package that it is in. */
  readonly package?: string;
}

/** The stages that a pipeline can use, by name. */
export class Registry {
  readonly #stages = new Map<string, RegisteredStage>();
  /** Names of stages that were found to be well defined. */
  readonly #checked = new Set<string>();

  /**
   * @param builtIn The stages that come with Bitbound; each is checked when it is first asked for.
   * @throws {TypeError} If two have one name.
   */
  constructor(builtIn: Iterable<AnyStage>) {
    for (const definition of builtIn) {
      const problems = this.#taken(definition);
      if (problems.length > 0) throw new TypeError(problems.join("\n"));
      this.#stages.set(definition.name, { definition });
    }
  }

  /**
   * Adds the stages of a plugin, the default export of its module.
   *
   * @returns What is wrong with them; those that are wrong are not added.
   */
  add(exported: unknown, plugin: Plugin): string[] {
    if (exported === undefined) {
      return ["It has no default export: export a stage, made by defineStage, or a list of stages"];
    }
    const all: string[] = [];
    for (const definition of Array.isArray(exported) ? exported : [exported]) {
      const problems = definitionProblems(definition);
      if (problems.length === 0) problems.push(...this.#taken(definition));
      if (problems.length === 0) this.#stages.set(definition.name, { definition, plugin });
      all.push(...problems);
    }
    return all;
  }

  /**
   * The stage of a name.
   *
   * @throws {TypeError} If it is not well defined.
   */
  get(name: string): RegisteredStage | undefined {
    const stage = this.#stages.get(name);
    if (stage === undefined || this.#checked.has(name)) return stage;
    const problems = stage.plugin === undefined ? definitionProblems(stage.definition) : [];
    if (problems.length > 0) throw new TypeError(problems.join("\n"));
    this.#checked.add(name);
    return stage;
  }

  /** The names of all stages, in the order they were added. */
  names(): string[] {
    return [...this.#stages.keys()];
  }

  /** All stages, in the order they were added. */
  all(): RegisteredStage[] {
    return [...this.#stages.values()];
  }

  #taken(definition: AnyStage): string[] {
    const there = this.#stages.get(definition.name);
    if (there === undefined) return [];
    const owner = there.plugin === undefined ? "Bitbound" : `"${there.plugin.module}"`;
    return [`There is a stage "${definition.name}" already, of ${owner}: choose another name`];
  }
}
