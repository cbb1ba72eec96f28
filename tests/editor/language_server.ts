/**
 * A conversation with the YAML language server, as an editor has it.
 *
 * The server has a configuration and a lock file of its own (beside this file): only tests need it, and it is fetched when they run.
 *
 * @module
 */

import { fileURLToPath, pathToFileURL } from "node:url";

const CONFIGURATION = fileURLToPath(new URL("./deno.json", import.meta.url));
const SERVER = ["npm:yaml-language-server@2.0.0", "--stdio"];

/** A position in a text, from 0. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

/** What is wrong in a text. */
export interface Diagnostic {
  readonly message: string;
  readonly range: { readonly start: Position };
}

/** What can stand at a position. */
export interface Completion {
  readonly label: string;
  readonly documentation?: string | { readonly value: string };
}

// deno-lint-ignore no-explicit-any -- messages of the protocol
type Message = any;

/** Whether the server can be had: it is in Deno's cache, or a registry can be asked. */
export async function isAvailable(): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "cache",
      "--quiet",
      "--config",
      CONFIGURATION,
      "--frozen",
      SERVER[0]!,
    ],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** The server, in a process of its own. */
export class LanguageServer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers = new Map<number, (result: Message) => void>();
  readonly #diagnostics = new Map<string, (found: Diagnostic[]) => void>();
  readonly #reading: Promise<void>;
  #last = 0;

  private constructor() {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-all",
        "--quiet",
        "--config",
        CONFIGURATION,
        "--frozen",
        ...SERVER,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Starts it. */
  static async start(): Promise<LanguageServer> {
    const server = new LanguageServer();
    await server.#ask("initialize", {
      processId: Deno.pid,
      rootUri: null,
      capabilities: { workspace: { configuration: true } },
    });
    await server.#tell("initialized", {});
    return server;
  }

  /** Opens a file with a text, and waits until the text was checked. */
  async open(
    path: string,
    text: string,
  ): Promise<{ uri: string; diagnostics: Diagnostic[] }> {
    const uri = pathToFileURL(path).href;
    const checked = new Promise<Diagnostic[]>((resolve) => this.#diagnostics.set(uri, resolve));
    const document = { uri, languageId: "yaml", version: ++this.#last, text };
    await this.#tell("textDocument/didOpen", { textDocument: document });
    const diagnostics = await checked;
    return { uri, diagnostics };
  }

  async close(uri: string): Promise<void> {
    await this.#tell("textDocument/didClose", { textDocument: { uri } });
  }

  /** What can stand somewhere. */
  async complete(
    uri: string,
    position: Position,
  ): Promise<readonly Completion[]> {
    const found = await this.#ask("textDocument/completion", {
      textDocument: { uri },
      position,
    });
    return found?.items ?? found ?? [];
  }

  /** What is said of the word at a position; empty if nothing. */
  async hover(uri: string, position: Position): Promise<string> {
    const found = await this.#ask("textDocument/hover", {
      textDocument: { uri },
      position,
    });
    const { contents } = found ?? {};
    return typeof contents === "string" ? contents : contents?.value ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    this.#process.kill();
    await this.#process.status;
    await this.#reading;
  }

  #ask(method: string, params: Message): Promise<Message> {
    const id = ++this.#last;
    const answer = new Promise<Message>((resolve) => this.#answers.set(id, resolve));
    return this.#send({ id, method, params }).then(() => answer);
  }

  #tell(method: string, params: Message): Promise<void> {
    return this.#send({ method, params });
  }

  async #send(message: Message): Promise<void> {
    const content = new TextEncoder().encode(
      JSON.stringify({ jsonrpc: "2.0", ...message }),
    );
    const head = new TextEncoder().encode(
      `Content-Length: ${content.length}\r\n\r\n`,
    );
    const whole = new Uint8Array(head.length + content.length);
    whole.set(head);
    whole.set(content, head.length);
    await this.#input.write(whole);
  }

  async #read(): Promise<void> {
    let rest = new Uint8Array();
    for await (const chunk of this.#process.stdout) {
      const joined = new Uint8Array(rest.length + chunk.length);
      joined.set(rest);
      joined.set(chunk, rest.length);
      rest = joined;
      for (;;) {
        const head = new TextDecoder("latin1").decode(rest.subarray(0, 200));
        const found = /Content-Length: (\d+)[^]*?\r\n\r\n/.exec(head);
        if (found === null) break;
        const from = found.index + found[0].length;
        const to = from + Number(found[1]);
        if (rest.length < to) break;
        this.#take(
          JSON.parse(new TextDecoder().decode(rest.subarray(from, to))),
        );
        rest = rest.slice(to);
      }
    }
  }

  #take({ id, method, params, result }: Message): void {
    if (method === undefined) {
      this.#answers.get(id)?.(result);
      this.#answers.delete(id);
    } else if (method === "textDocument/publishDiagnostics") {
      this.#diagnostics.get(params.uri)?.(params.diagnostics);
      this.#diagnostics.delete(params.uri);
    } else if (id !== undefined) {
      const answer = method === "workspace/configuration"
        ? params.items.map(({ section }: { section?: string }) =>
          section === "yaml" ? SETTINGS : {}
        )
        : null;
      void this.#send({ id, result: answer });
    }
  }
}

/** What editors send unless the user says otherwise, without the store of schemas on the network. */
const SETTINGS = {
  validate: true,
  hover: true,
  completion: true,
  schemaStore: { enable: false },
};
