/**
 * A remote store that a server keeps: GET, HEAD and PUT of files below an address.
 *
 * @module
 */

import { type Content, type Patience, RemoteError, type Transport } from "./transport.ts";

/** How requests are made. */
export interface HttpOptions {
  /** Ends with a slash. */
  readonly base: URL;
  /** Adds what proves who asks. */
  readonly authorize: (request: Request, content: Uint8Array | undefined) => Promise<Request>;
  readonly patience: Patience;
  /** What to look at when the server refuses. */
  readonly onRefused: string;
}

type Method = "GET" | "HEAD" | "PUT";

/** How long before the second and last attempt, in milliseconds. */
const RETRY_PAUSE = 300;
/** The slowest transfer that is not given up, in bytes a millisecond. */
const SLOWEST = 100;

/** Files of a server. */
export class HttpTransport implements Transport {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  async get(path: string, size: number): Promise<Content | undefined> {
    const stop = new AbortController();
    const response = await this.#ask("GET", path, stop);
    if (response === undefined) return undefined;
    if (response.body === null) return empty();
    return this.#content(response.body, stop, this.#options.patience.whole + size / SLOWEST);
  }

  async has(path: string): Promise<boolean> {
    const response = await this.#ask("HEAD", path, new AbortController());
    await response?.body?.cancel();
    return response !== undefined;
  }

  async put(path: string, content: Uint8Array): Promise<void> {
    const response = await this.#ask("PUT", path, new AbortController(), content);
    if (response === undefined) {
      throw new RemoteError(`answers 404 to a PUT`, this.#options.onRefused);
    }
    await response.body?.cancel();
  }

  /** The answer; `undefined` if there is no such file. What may be a passing trouble is tried once more. */
  async #ask(
    method: Method,
    path: string,
    stop: AbortController,
    content?: Uint8Array,
  ): Promise<Response | undefined> {
    for (let attempt = 0;; attempt++) {
      const last = attempt === 1;
      let response: Response;
      try {
        response = await this.#once(method, path, stop, content);
      } catch (error) {
        const isPassing = error instanceof TypeError && !stop.signal.aborted;
        if (last || !isPassing) throw this.#explain(error);
        await pause();
        continue;
      }
      const { status } = response;
      if (response.ok) return response;
      if (status === 404) {
        await this.#requireBucket(response, stop);
        return undefined;
      }
      await response.body?.cancel();
      if (!last && (status >= 500 || status === 429)) {
        await pause();
        continue;
      }
      throw this.#refused(method, response);
    }
  }

  async #once(
    method: Method,
    path: string,
    stop: AbortController,
    content: Uint8Array | undefined,
  ): Promise<Response> {
    const { base, authorize, patience } = this.#options;
    const body = content as Uint8Array<ArrayBuffer> | undefined;
    const request = await authorize(
      new Request(new URL(path, base), { method, ...(body !== undefined && { body }) }),
      content,
    );
    const wait = patience.pause + (content?.length ?? 0) / SLOWEST;
    const timer = setTimeout(() => stop.abort(tooSlow(wait)), wait);
    try {
      return await fetch(request, {
        signal: stop.signal,
        redirect: "manual",
        ...(body !== undefined && { body }),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** A store that is not there at all is no store without the file: what a server says of a missing file tells. */
  async #requireBucket({ body }: Response, stop: AbortController): Promise<void> {
    if (body === null) return;
    const { pause } = this.#options.patience;
    const timer = setTimeout(() => stop.abort(tooSlow(pause)), pause);
    let text = "";
    try {
      const decoder = new TextDecoder();
      for await (const chunk of body) {
        text += decoder.decode(chunk, { stream: true });
        if (text.length > 4096) break;
      }
      stop.signal.throwIfAborted();
    } catch (error) {
      throw this.#explain(error);
    } finally {
      clearTimeout(timer);
    }
    if (text.includes("<Code>NoSuchBucket</Code>")) throw new RemoteError("has no such bucket");
  }

  async *#content(
    body: ReadableStream<Uint8Array>,
    stop: AbortController,
    whole: number,
  ): AsyncGenerator<Uint8Array> {
    const { pause } = this.#options.patience;
    const deadline = setTimeout(() => stop.abort(tooSlow(whole)), whole);
    let stall = setTimeout(() => stop.abort(tooSlow(pause)), pause);
    try {
      for await (const chunk of body) {
        clearTimeout(stall);
        yield chunk;
        stall = setTimeout(() => stop.abort(tooSlow(pause)), pause);
      }
      // A body that is given up can end like one that is whole.
      stop.signal.throwIfAborted();
    } catch (error) {
      throw this.#explain(error);
    } finally {
      clearTimeout(stall);
      clearTimeout(deadline);
    }
  }

  #explain(error: unknown): unknown {
    if (error instanceof RemoteError || error instanceof Deno.errors.NotCapable) return error;
    if (!(error instanceof Error)) return error;
    // Deno's message ends with the innermost reason, after the address and everything around it.
    const { message } = error.cause instanceof Error ? error.cause : error;
    const why = message.slice(message.lastIndexOf(": ") + 1).trim();
    return new RemoteError(`cannot be reached: ${why}`, undefined, { cause: error });
  }

  #refused(method: Method, { status, headers }: Response): RemoteError {
    const location = headers.get("location");
    if (status >= 300 && status < 400) {
      return new RemoteError(
        `answers ${status} to a ${method}: it is elsewhere`,
        location === null
          ? undefined
          : `Name the store by where it leads: ${location.slice(0, 200)}`,
      );
    }
    return new RemoteError(`answers ${status} to a ${method}`, this.#options.onRefused);
  }
}

function tooSlow(milliseconds: number): RemoteError {
  return new RemoteError(`does not answer within ${Math.ceil(milliseconds / 1000)} s`);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE));
}

async function* empty(): AsyncGenerator<Uint8Array> {}
