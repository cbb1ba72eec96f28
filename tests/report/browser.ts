/**
 * A real browser without a window, driven through pipes, so that no right to use the network is needed.
 *
 * @module
 */

import { pathToFileURL } from "node:url";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The program of a browser that is installed here; `undefined` if there is none. */
export function findBrowser(): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return NAMES.flatMap((name) => folders.map((folder) => `${folder}/${name}`)).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** How a page is shown. */
export interface Viewport {
  /** In pixels. */
  readonly width: number;
  readonly dark?: boolean;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

/** A browser with one page, by the Chrome DevTools Protocol. */
export class Browser implements AsyncDisposable {
  /** What the page complained of: errors of scripts, of the console, of loading. */
  readonly complaints: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #profile: string;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #events = new Map<string, () => void>();
  readonly #reading: Promise<void>;
  #count = 0;
  #session: string | undefined;

  private constructor(program: string) {
    this.#profile = Deno.makeTempDirSync({ prefix: "bitbound-browser-" });
    const flags = `--headless --no-sandbox --disable-gpu --remote-debugging-pipe ` +
      `--user-data-dir=${this.#profile} --no-first-run`;
    // The browser takes commands from file 3 and answers on file 4.
    this.#process = new Deno.Command("sh", {
      args: ["-c", `exec "$0" ${flags} 3<&0 4>&1 >/dev/null`, program],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Starts a browser. */
  static async start(program: string): Promise<Browser> {
    const browser = new Browser(program);
    const { targetId } = await browser.#send("Target.createTarget", { url: "about:blank" });
    const attached = await browser.#send("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = attached.sessionId as string;
    for (const domain of ["Page", "Runtime", "Log", "Network"]) {
      await browser.#send(`${domain}.enable`);
    }
    return browser;
  }

  /** Opens a file. */
  async open(path: string, { width, dark = false }: Viewport): Promise<void> {
    await this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height: 800,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await this.#send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
    });
    const loaded = new Promise<void>((done) => this.#events.set("Page.loadEventFired", done));
    await this.#send("Page.navigate", { url: pathToFileURL(path).href });
    await loaded;
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", {
      expression,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Presses a key, such as `Tab`. */
  async press(key: "Tab" | "Enter"): Promise<void> {
    const code = { Tab: 9, Enter: 13 }[key];
    const event = {
      key,
      code: key,
      windowsVirtualKeyCode: code,
      ...(key === "Enter" && { text: "\r" }),
    };
    await this.#send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** The page as a PDF. */
  async print(): Promise<Uint8Array> {
    const { data } = await this.#send("Page.printToPDF", { printBackground: false });
    return Uint8Array.fromBase64(data as string);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#send("Browser.close").catch(() => {});
    await this.#process.status;
    await this.#reading;
    await this.#writer.close().catch(() => {});
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }

  async #send(method: string, params: unknown = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#count;
    const answer = new Promise<Message>((done) => this.#waiting.set(id, done));
    const text = JSON.stringify({ id, method, params, sessionId: this.#session });
    await this.#writer.write(new TextEncoder().encode(`${text}\0`));
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const part of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const texts = (rest + part).split("\0");
      rest = texts.pop()!;
      for (const text of texts) this.#take(JSON.parse(text) as Message);
    }
    for (const done of this.#waiting.values()) done({ error: { message: "The browser ended" } });
  }

  #take(message: Message): void {
    const { id, method = "", params } = message;
    if (id !== undefined) {
      this.#waiting.get(id)?.(message);
      this.#waiting.delete(id);
      return;
    }
    this.#events.get(method)?.();
    const isComplaint = method === "Runtime.exceptionThrown" || method === "Log.entryAdded" ||
      method === "Runtime.consoleAPICalled" || method === "Network.loadingFailed";
    if (isComplaint) this.complaints.push(`${method} ${JSON.stringify(params)}`);
    const { request } = (params ?? {}) as { request?: { url: string } };
    if (method === "Network.requestWillBeSent" && !/^(file|data):/.test(request!.url)) {
      this.complaints.push(`The page asked for ${request!.url}`);
    }
  }
}
