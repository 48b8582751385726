// Share links: document and options, deflated into the part of the address after '#', which browsers
// send to no server. The format has a version, so that old links keep their meaning.

/** What a link carries. */
export interface Shared {
  text: string;
  options: Record<string, string>;
}

/** Text that a link may unpack to; a link is made by a stranger and may be a deflate bomb. */
const LIMIT = 5 * 1024 * 1024;

const PREFIX = "#v1=";

/** The link to this page with `shared` inside. */
export async function shareLink(page: string, shared: Shared): Promise<string> {
  const packed = new Blob([JSON.stringify(shared)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const word = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return page.split("#", 1)[0] + PREFIX + word;
}

/** What the hash of an address carries, `undefined` where it is no share link; throws on a damaged one. */
export async function readHash(hash: string): Promise<Shared | undefined> {
  if (!hash.startsWith(PREFIX)) return undefined;
  const binary = atob(hash.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const text = await unpack(new Blob([bytes]).stream());
  const shared: unknown = JSON.parse(text);
  if (!isShared(shared)) throw new Error("it holds something else");
  return shared;
}

async function unpack(packed: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const reader = packed.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).text();
    length += value.length;
    if (length > LIMIT) {
      await reader.cancel();
      throw new Error("it unpacks to more than 5 MiB");
    }
    parts.push(value);
  }
}

function isShared(value: unknown): value is Shared {
  if (typeof value !== "object" || value === null) return false;
  const { text, options } = value as Partial<Shared>;
  if (typeof text !== "string" || typeof options !== "object" || options === null) return false;
  return Object.values(options).every((option) => typeof option === "string");
}
