// What the module asks of its host, on the worker's side: a call returns when its work is done. What needs the event
// loop (`fetch`) is asked of the main thread, and the worker sleeps until the answer is there.

import { spawnSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";

import type { Answer, Question, Trouble } from "./exchange.ts";

/** A credential helper that asks the user or a slow network gets this long. */
const PATIENCE = 60_000;

/** Puts the host where the module looks for it. `state` is shared: a count of answers, and whether to end. */
export function install(port: MessagePort, state: Int32Array, event: (text: string) => void): void {
  /** What came of bodies and did not fit into the module's buffer. */
  const rests = new Map<number, Uint8Array>();
  let trouble: Trouble = { fault: "protocol", message: "nothing was asked" };
  let reason = "";

  function ask(question: Question): Answer {
    const before = Atomics.load(state, 0);
    port.postMessage(question);
    Atomics.wait(state, 0, before);
    const received = receiveMessageOnPort(port) as { message: Answer } | undefined;
    if (received === undefined) throw new Error("an answer was counted that did not come");
    return received.message;
  }

  const host = {
    send(request: string, body: Uint8Array): string {
      // The module's memory must not go to another thread.
      const said = ask({ ask: "send", request, body: new Uint8Array(body) });
      return "header" in said ? said.header : JSON.stringify("trouble" in said ? said.trouble : {});
    },
    read(body: number, buffer: Uint8Array, seconds: number): number {
      let bytes = rests.get(body);
      if (bytes === undefined) {
        const said = ask({ ask: "read", body, seconds });
        if ("trouble" in said) {
          trouble = said.trouble;
          return -1;
        }
        bytes = "bytes" in said ? said.bytes : new Uint8Array();
      }
      const count = Math.min(bytes.length, buffer.length);
      buffer.set(bytes.subarray(0, count));
      if (count < bytes.length) rests.set(body, bytes.subarray(count));
      else rests.delete(body);
      return count;
    },
    trouble: (): string => JSON.stringify(trouble),
    close(body: number): void {
      rests.delete(body);
      port.postMessage({ ask: "close", body } satisfies Question);
    },
    wait(seconds: number): void {
      if (Atomics.load(state, 1) === 0) Atomics.wait(state, 1, 0, seconds * 1000);
    },
    interrupted: (): boolean => Atomics.load(state, 1) !== 0,
    now: (): number => Date.now(),
    random: (): number => Math.random(),
    environment(): string {
      const inputs = ([name]: [string, unknown]): boolean => !name.startsWith("INPUT_");
      return JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(inputs)));
    },
    file(path: string, limit: number): Uint8Array | undefined {
      reason = "";
      try {
        return beginning(path, limit + 1);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== "ENOENT" && code !== "ENOTDIR") reason = message;
        return undefined;
      }
    },
    reason: (): string => reason,
    credential(program: string, server: string, limit: number): string {
      const input = { input: server, timeout: PATIENCE, maxBuffer: limit, killSignal: "SIGKILL" as const };
      const done = spawnSync(program, ["get"], { ...input, stdio: ["pipe", "pipe", "ignore"], encoding: "utf8" });
      const code = (done.error as NodeJS.ErrnoException | undefined)?.code;
      if (code === "ENOENT") return JSON.stringify({ problem: "is not installed (not on the PATH)" });
      if (code === "ETIMEDOUT") return JSON.stringify({ problem: "did not answer in time" });
      if (code === "ENOBUFS") return JSON.stringify({ problem: `printed more than ${limit} bytes` });
      // A helper that does not read its input is its own affair; its answer counts.
      if (code !== undefined && code !== "EPIPE") return JSON.stringify({ problem: `could not be started (${code})` });
      const failure = done.status === 0 ? undefined : done.signal ? `signal ${done.signal}` : `exit status: ${done.status}`;
      return JSON.stringify({ failure, output: done.stdout });
    },
    event,
  };
  Object.assign(globalThis, { sociHost: host });
}

/** At most so many bytes of a file. */
function beginning(path: string, limit: number): Uint8Array {
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(limit);
    let filled = 0;
    while (filled < limit) {
      const count = readSync(file, bytes, filled, limit - filled, null);
      if (count === 0) break;
      filled += count;
    }
    return bytes.slice(0, filled);
  } finally {
    closeSync(file);
  }
}
