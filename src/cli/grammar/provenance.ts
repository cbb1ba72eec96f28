/**
 * Commands about who made something, and of what.
 *
 * @module
 */

import { importLater } from "../../base/import_later.ts";
import { json } from "./shared.ts";
import { argument, command, type CommandGroup, options } from "./syntax.ts";
import { path, text } from "./values.ts";

export const checkProvenance = command({
  name: "check-provenance",
  brief: "Check what an exported model says it was made from",
  description:
    "Reads the provenance that a run wrote beside an exported model: that the files beside it are those it speaks of, that every stage has the key that its ingredients hash to and takes only what inputs and other stages gave, and who signed it. Says what the model was made from and what was measured.",
  examples: [
    ["is this model what it says?", "check-provenance exports/digits/model.provenance.json"],
    ["and did we make it?", "check-provenance model.provenance.json --key ed25519:11qYAYKx…"],
  ],
  takes: {
    file: argument(path("FILE", [".json"]), "A file that ends in .provenance.json"),
    keys: options("--key", text("KEY"), "A public key that has to have signed it; any of several"),
    json,
  },
  action: (given) => async (streams) =>
    (await importLater<typeof import("../commands/check_provenance.ts")>(
      import.meta.resolve("../commands/check_provenance.ts"),
    )).checkProvenanceFile(given, streams),
});

const work = () =>
  importLater<typeof import("../commands/keys.ts")>(import.meta.resolve("../commands/keys.ts"));

const KEY_FILE = argument(path("FILE", [".pem"]), "The file of a private key");

const newKey = command({
  name: "new",
  brief: "Make a key to sign with",
  description:
    "Makes a private Ed25519 key, writes it to a file that only you can read, and prints the public key by which others check what it signed.",
  examples: [["a key of your own", "keys new bitbound.pem"]],
  takes: { file: KEY_FILE },
  action: (given) => async (streams) => (await work()).newKey(given, streams),
});

const showKey = command({
  name: "show",
  brief: "Print the public key of a private one",
  description: "Prints the public key that belongs to a private key.",
  examples: [["what do others need to check my signatures?", "keys show bitbound.pem"]],
  takes: { file: KEY_FILE },
  action: (given) => async (streams) => (await work()).showKey(given, streams),
});

export const keysCommands: CommandGroup = {
  name: "keys",
  brief: "Make keys to sign with",
  description: "Makes the keys that provenance and shared results are signed with.",
  examples: [["a key of your own", "keys new bitbound.pem"]],
  commands: [newKey, showKey],
};
