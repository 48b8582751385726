// Debian's docker-registry with a login, and images put there byte for byte.

import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { gzipSync } from "node:zlib";

import { ROOT } from "./root.mjs";

const scratch = mkdtempSync(join(tmpdir(), "soci-registry-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** The login of every registry here. */
export const LOGIN = { username: "tester", password: "test-password" };
// The bcrypt hash of that password.
const USERS = "tester:$2a$04$jiwxoOHmptXnOxHJPJ0g8uk7f.W6veRTOvgHbniX/3.ECSgvU5f6u\n";
/** The value of its `Authorization` field. */
export const BASIC = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString("base64")}`;

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const ACCEPT = [INDEX, MANIFEST, "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json"].join(", ");

export const digestOf = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A port that nobody has. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts a registry; ends with the tests. With `tls`, paths of a `certificate` and a `key`, it speaks TLS alone;
 * with the `storage` of another one it serves what that one holds.
 */
export async function dockerRegistry({ tls, storage } = {}) {
  const folder = mkdtempSync(join(scratch, "registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  const root = storage ?? join(folder, "data");
  writeFileSync(join(folder, "users"), USERS);
  writeFileSync(
    join(folder, "config.yml"),
    `version: 0.1
log: {level: error}
storage:
  filesystem: {rootdirectory: ${root}}
  delete: {enabled: true}
http:
  addr: ${host}${tls ? `\n  tls: {certificate: ${tls.certificate}, key: ${tls.key}}` : ""}
auth:
  htpasswd: {realm: test, path: ${folder}/users}
`,
  );
  const server = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  after(() => server.kill("SIGKILL"));
  server.on("error", (error) => {
    throw new Error(`docker-registry cannot be started: \`cargo xtask test\` installs it (${error.message})`);
  });
  for (let tries = 0; ; tries++) {
    try {
      // One that speaks TLS answers this too, with status 400.
      await fetch(`http://${host}/v2/`);
      return new Registry(host, root);
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A registry as its owner sees it. */
export class Registry {
  constructor(host, storage) {
    this.host = host;
    this.storage = storage;
  }

  async ask(method, path, { headers = {}, body } = {}) {
    const response = await fetch(`http://${this.host}/v2/${path}`, { method, headers: { authorization: BASIC, ...headers }, body });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, bytes };
  }

  async putBlob(repository, bytes) {
    const digest = digestOf(bytes);
    const begun = await this.ask("POST", `${repository}/blobs/uploads/`);
    const place = new URL(begun.headers.get("location"), `http://${this.host}`);
    place.searchParams.set("digest", digest);
    const put = await fetch(place, { method: "PUT", headers: { authorization: BASIC, "content-type": "application/octet-stream" }, body: bytes });
    if (put.status !== 201) throw new Error(`blob ${digest}: ${put.status} ${await put.text()}`);
    return digest;
  }

  async putManifest(repository, name, mediaType, bytes) {
    const put = await this.ask("PUT", `${repository}/manifests/${name}`, { headers: { "content-type": mediaType }, body: bytes });
    if (put.status !== 201) throw new Error(`manifest ${name}: ${put.status} ${put.bytes}`);
  }

  /** What a tag or digest names; nothing if there is none. */
  async manifest(repository, name) {
    const got = await this.ask("GET", `${repository}/manifests/${name}`, { headers: { accept: ACCEPT } });
    return got.status === 200 ? got.bytes : undefined;
  }

  async digest(repository, tag) {
    const bytes = await this.manifest(repository, tag);
    return bytes && digestOf(bytes);
  }

  /** Everything below a tag; throws where something is missing. */
  async whole(repository, name) {
    const found = [];
    const bytes = await this.manifest(repository, name);
    if (bytes === undefined) throw new Error(`${repository}: ${name} is missing`);
    const document = JSON.parse(bytes);
    for (const { digest } of document.manifests ?? []) found.push(...(await this.whole(repository, digest)));
    const soci = document.annotations?.["com.amazon.soci.index-digest"];
    if (soci) found.push(...(await this.whole(repository, soci)));
    for (const { digest } of [document.config, ...(document.layers ?? [])].filter(Boolean)) {
      const { status } = await this.ask("HEAD", `${repository}/blobs/${digest}`);
      if (status !== 200) throw new Error(`${repository}: blob ${digest} is missing`);
      found.push(digest);
    }
    return found;
  }

  /** The first image of a layout under a tag, byte for byte; what the layout lacks is lacking here. */
  async putLayout(repository, tag, folder) {
    const blob = (digest) => join(folder, "blobs", digest.replace(":", "/"));
    const put = async (descriptor, name) => {
      if (!existsSync(blob(descriptor.digest))) return;
      const bytes = readFileSync(blob(descriptor.digest));
      const document = JSON.parse(bytes);
      for (const child of document.manifests ?? []) await put(child, child.digest);
      for (const { digest } of [document.config, ...(document.layers ?? [])].filter(Boolean)) {
        if (existsSync(blob(digest))) await this.putBlob(repository, readFileSync(blob(digest)));
      }
      await this.putManifest(repository, name, document.mediaType ?? descriptor.mediaType, bytes);
    };
    const [root] = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")).manifests;
    await put(root, tag);
    return root.digest;
  }

  /** An image of linux/amd64 with layers of so many random bytes. */
  async putMade(repository, tag, sizes) {
    const layers = [];
    const diffs = [];
    for (const [number, size] of sizes.entries()) {
      const content = tar(`file-${number}`, randomBytes(size));
      diffs.push(digestOf(content));
      const bytes = gzipSync(content, { level: 1 });
      layers.push({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: await this.putBlob(repository, bytes), size: bytes.length });
    }
    const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: diffs } }));
    await this.putBlob(repository, config);
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf(config), size: config.length },
        layers,
      }),
    );
    await this.putManifest(repository, tag, MANIFEST, manifest);
    return digestOf(manifest);
  }
}

/** A tar of one file. */
function tar(name, content) {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0" + "0000000\0" + "0000000\0", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0`, 124);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const rest = (512 - (content.length % 512)) % 512;
  return Buffer.concat([header, content, Buffer.alloc(rest + 1024)]);
}

/** The recorded images as layouts in folders, by name. */
export function vectors() {
  const folder = join(scratch, "vectors");
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xJf", join(ROOT, "tests/vectors/images.tar.xz"), "-C", folder]);
  const inputs = join(folder, "images/inputs");
  const found = new Map();
  for (const name of readdirSync(inputs).sort()) {
    let layout = join(inputs, name);
    if (name.endsWith(".tar")) {
      layout = join(folder, name.slice(0, -4));
      mkdirSync(layout);
      // One of them is no tar at all.
      if (name !== "not-a-tar.tar") execFileSync("tar", ["-xf", join(inputs, name), "-C", layout], { stdio: "pipe" });
    }
    if (existsSync(join(layout, "index.json"))) found.set(name.replace(/\.tar$/, "").toLowerCase(), layout);
  }
  return found;
}

/** The native command, built once. */
export function native(...words) {
  const build = ["build", "--quiet", "--locked", "--package", "cargo-soci", "--message-format=json"];
  BINARY ??= execFileSync("cargo", build, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 28 })
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .find((line) => line.executable && line.target.name === "cargo-soci").executable;
  return [BINARY, words];
}
let BINARY;
