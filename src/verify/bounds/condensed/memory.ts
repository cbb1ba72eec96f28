/**
 * Memory of a thread for condensed networks: matrices of one network, and behind them whatever one box needs.
 *
 * @module
 */

import type { PairedNetwork } from "../../network/network.ts";
import { type DenseLayer, layersOf } from "../dense/chain.ts";
import { type Addresses, place } from "../dense/place.ts";
import { Workspace } from "../dense/workspace.ts";

/** Where a layer's matrices stand: rows of weights, and magnitudes by column as `multiply` reads them. */
export type Placed = Readonly<
  Record<"weights" | "magnitudes", Addresses>
>;

/** The memory of a thread; whoever comes with another network takes the place. */
export class CondensedMemory {
  readonly workspace = new Workspace();
  /** By layer. */
  layers: readonly DenseLayer[] = [];
  placed: readonly Placed[] = [];
  #network: PairedNetwork | undefined;
  #base = 0;

  /** Makes a network the one that is at hand, and takes back all that boxes took. */
  use(network: PairedNetwork): void {
    if (network !== this.#network) this.#place(network);
    this.workspace.release(this.#base);
  }

  #place(network: PairedNetwork): void {
    this.#network = network;
    this.workspace.release(0);
    this.layers = layersOf(network).filter((layer) => layer !== undefined);
    this.placed = this.layers.map(({ weights, magnitudes }) => ({
      weights: place(this.workspace, weights),
      magnitudes: place(this.workspace, magnitudes),
    }));
    this.#base = this.workspace.mark;
  }
}
