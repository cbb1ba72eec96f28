/**
 * Sessions of bound graphs, shared by all networks of one structure.
 *
 * Opening the graphs of a network takes longer than bounding many boxes, and a quantization study looks at many networks
 * of one structure: so sessions of small networks stay open for the next one.
 *
 * @module
 */

import { openSession, type Session } from "../../../engine/session.ts";
import type { Tensor } from "../../../onnx/tensor.ts";
import { type PairedNetwork, sizeOf } from "../../network/network.ts";
import { type NetworkGraph, parametersOf, structureOf } from "./network_graph.ts";

/** A graph that is open for a network. */
export interface OpenGraph<Graph extends NetworkGraph> {
  readonly graph: Graph;
  /** Runs it; the network's own numbers are among the feeds already. */
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
}

interface SharedSession {
  readonly graph: NetworkGraph;
  readonly session: Promise<Session>;
  users: number;
}

/** Sessions that are open in this thread, in the order of their last use. */
const OPEN = new Map<string, SharedSession>();

/** How many sessions stay open without users. */
const MOST_IDLE = 96;

/** Vectors of longer networks take too much memory to stay. */
const MOST_KEPT_SIZE = 1024;

/** The sessions of one network. */
export class NetworkSessions implements AsyncDisposable {
  readonly #network: PairedNetwork;
  readonly #threads: number;
  readonly #used = new Map<string, SharedSession>();
  readonly #open = new Map<string, OpenGraph<NetworkGraph>>();
  readonly #isKept: boolean;

  constructor(network: PairedNetwork, threads: number) {
    this.#network = network;
    this.#threads = threads;
    this.#isKept = network.steps.every((_, at) => sizeOf(network, at) <= MOST_KEPT_SIZE);
  }

  /**
   * Opens a graph.
   *
   * @param key What it is, among all graphs of a network.
   */
  async graph<Graph extends NetworkGraph>(
    key: string,
    make: () => Graph,
  ): Promise<OpenGraph<Graph>> {
    const known = this.#open.get(key);
    if (known !== undefined) return known as OpenGraph<Graph>;
    const name = `${structureOf(this.#network)} ${this.#threads} ${key}`;
    let shared = this.#used.get(name) ?? OPEN.get(name);
    if (shared === undefined) {
      const graph = make();
      // Graphs are made as they should run; looking for improvements takes longer than many passes.
      const session = openSession(graph.model, {
        threads: this.#threads,
        optimization: "none",
        arena: this.#isKept,
      });
      shared = { graph, session, users: 0 };
    }
    // A graph that cannot be opened is nobody's.
    const session = await shared.session;
    OPEN.delete(name);
    OPEN.set(name, shared);
    if (!this.#used.has(name)) {
      this.#used.set(name, shared);
      shared.users++;
    }
    const parameters = parametersOf(shared.graph, this.#network);
    const open: OpenGraph<Graph> = {
      graph: shared.graph as Graph,
      run: (feeds) => session.run({ ...parameters, ...feeds }),
    };
    this.#open.set(key, open);
    return open;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const used = [...this.#used];
    this.#used.clear();
    this.#open.clear();
    for (const [name, shared] of used) {
      shared.users--;
      if (shared.users === 0 && !this.#isKept) await close(name, shared);
    }
    const idle = [...OPEN].filter(([, { users }]) => users === 0);
    for (const [name, shared] of idle.slice(0, Math.max(idle.length - MOST_IDLE, 0))) {
      await close(name, shared);
    }
  }
}

async function close(name: string, { session }: SharedSession): Promise<void> {
  OPEN.delete(name);
  await (await session)[Symbol.asyncDispose]();
}
