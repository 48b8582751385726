// The side that may not wait: it sends what the worker asks for, and answers. One request after another of a worker;
// bodies are read ahead while the worker is busy with what came before.

import type { MessagePort } from "node:worker_threads";

/** A request of the module, as `wasm/src/image/fetch.rs` writes it. */
interface Asked {
  method: string;
  url: string;
  headers: [string, string][];
  hasBody: boolean;
  seconds: number;
}

/** Why an exchange did not happen, in the words of the module's `TransportFault`. */
export interface Trouble {
  fault: "connect" | "tls" | "timeout" | "cut" | "protocol" | "interrupted";
  message: string;
}

/** What a worker asks. */
export type Question =
  | { ask: "send"; request: string; body: Uint8Array<ArrayBuffer> }
  | { ask: "read"; body: number; seconds: number }
  | { ask: "close"; body: number };

/** What it is answered. */
export type Answer = { header: string } | { bytes: Uint8Array } | { trouble: Trouble };

/** Bytes of a body that are read ahead. */
const AHEAD = 2 * 1024 * 1024;

/** A body on its way. */
class Incoming {
  #chunks: Uint8Array[] = [];
  #waiting = 0;
  #ended = false;
  #trouble: Trouble | undefined;
  #changed: (() => void) | undefined;
  #room: (() => void) | undefined;

  constructor(
    private readonly abort: AbortController,
    body: ReadableStream<Uint8Array> | null,
  ) {
    void this.#pump(body);
  }

  async #pump(body: ReadableStream<Uint8Array> | null): Promise<void> {
    try {
      for await (const chunk of body ?? []) {
        this.#chunks.push(chunk);
        this.#waiting += chunk.length;
        this.#changed?.();
        if (this.#waiting >= AHEAD) await new Promise<void>((resolve) => (this.#room = resolve));
      }
      this.#ended = true;
    } catch (error) {
      // Whatever breaks once the header is there can be asked for again.
      const { fault, message } = troubleOf(error);
      this.#trouble = { fault: fault === "interrupted" || fault === "tls" ? fault : "cut", message };
    }
    this.#changed?.();
  }

  /** Everything that is there, as soon as anything is; nothing at the end. */
  async next(seconds: number): Promise<Answer> {
    if (this.#chunks.length === 0 && !this.#ended && this.#trouble === undefined) {
      const late = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(true), seconds * 1000);
        this.#changed = () => {
          clearTimeout(timer);
          resolve(false);
        };
      });
      this.#changed = undefined;
      if (late) {
        this.close();
        return { trouble: { fault: "timeout", message: "nothing arrived in time" } };
      }
    }
    if (this.#chunks.length > 0) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      this.#chunks = [];
      this.#waiting = 0;
      this.#room?.();
      return { bytes };
    }
    if (this.#trouble !== undefined) return { trouble: this.#trouble };
    return { bytes: new Uint8Array() };
  }

  close(): void {
    if (!this.#ended) this.abort.abort(new Interruption("the body is not needed any more"));
    this.#room?.();
  }
}

/** Marks what we ended ourselves. */
export class Interruption extends Error {}

/** Answers the questions of one worker until the port is closed; `ending` ends everything that is under way. */
export function answer(port: MessagePort, state: Int32Array, ending: AbortSignal): void {
  const bodies = new Map<number, Incoming>();
  let last = 0;
  const tell = (said: Answer): void => {
    port.postMessage(said);
    Atomics.add(state, 0, 1);
    Atomics.notify(state, 0);
  };
  port.on("message", async (question: Question) => {
    switch (question.ask) {
      case "close":
        bodies.get(question.body)?.close();
        bodies.delete(question.body);
        return;
      case "read":
        tell((await bodies.get(question.body)?.next(question.seconds)) ?? { bytes: new Uint8Array() });
        return;
      case "send": {
        const sent = await send(JSON.parse(question.request) as Asked, question.body, ending);
        if ("fault" in sent) {
          tell({ trouble: sent });
          return;
        }
        last += 1;
        bodies.set(last, new Incoming(sent.abort, sent.response.body));
        const header = { status: sent.response.status, headers: [...sent.response.headers], body: last };
        tell({ header: JSON.stringify(header) });
      }
    }
  });
}

type Sent = { response: Response; abort: AbortController };

async function send(asked: Asked, body: Uint8Array<ArrayBuffer>, ending: AbortSignal): Promise<Sent | Trouble> {
  const abort = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort.abort();
  }, asked.seconds * 1000);
  try {
    const response = await fetch(asked.url, {
      method: asked.method,
      headers: asked.headers,
      body: asked.hasBody ? body : null,
      // The client follows redirects itself: it knows which login may go where.
      redirect: "manual",
      signal: AbortSignal.any([ending, abort.signal]),
    });
    return { response, abort };
  } catch (error) {
    return late ? { fault: "timeout", message: "nothing arrived in time" } : troubleOf(error);
  } finally {
    clearTimeout(timer);
  }
}

const UNREACHABLE = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"];
const CUT = ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_RES_CONTENT_LENGTH_MISMATCH"];
const LATE = ["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"];

/** Sorts the errors of `fetch`; addresses are left out of the text. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof Interruption) return { fault: "interrupted", message: error.message };
  const cause = (error as { cause?: unknown }).cause ?? error;
  // A name with several addresses fails with the errors of each.
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  const code = String((first as { code?: unknown }).code ?? "");
  const message = code === "" ? String((first as { message?: unknown }).message ?? first) : `${WORDS[code] ?? code}`;
  if (UNREACHABLE.includes(code)) return { fault: "connect", message };
  if (CUT.includes(code)) return { fault: "cut", message };
  if (LATE.includes(code)) return { fault: "timeout", message };
  if (/CERT|SSL|TLS|SIGNATURE|SELF_SIGNED|ISSUER/.test(code)) return { fault: "tls", message };
  return { fault: "protocol", message };
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: "the connection was refused",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name could not be looked up",
  ECONNRESET: "the connection ended early",
  UND_ERR_SOCKET: "the connection ended early",
  UND_ERR_CONNECT_TIMEOUT: "the connection took too long",
};
