// Archives of images for tests, as builders and engines write them.

import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { gzipSync } from "node:zlib";

const digestOf = (...pieces) => {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return `sha256:${hash.digest("hex")}`;
};

/** The header of a tar entry. */
export function header(name, size) {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write("0000644\0" + "0000000\0" + "0000000\0", 100);
  block.write(`${size.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0`, 124);
  block.write("        0", 148);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

const padding = (size) => Buffer.alloc((512 - (size % 512)) % 512);

/** A tar of these files: `text`, or so many bytes of `noise`. */
export function tarOf(files) {
  const pieces = files.flatMap(({ name, text, noise }) => {
    const content = noise === undefined ? Buffer.from(text) : randomBytes(noise);
    return [header(name, content.length), content, padding(content.length)];
  });
  return Buffer.concat([...pieces, Buffer.alloc(1024)]);
}

class Archive {
  constructor(path) {
    this.file = openSync(path, "w");
    this.names = new Set();
  }

  add(name, ...pieces) {
    if (this.names.has(name)) return;
    this.names.add(name);
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    for (const piece of [header(name, size), ...pieces, padding(size)]) writeSync(this.file, piece);
  }

  end() {
    writeSync(this.file, Buffer.alloc(1024));
    closeSync(this.file);
  }
}

/**
 * An OCI archive of one image. A layer is a list of pieces of its tar, each compressed by itself, as gzip members of one
 * stream; a piece that is gzip already is taken as it is. Gives the layers as they are stored.
 */
export function ociArchive(path, layers, { name }) {
  const archive = new Archive(path);
  const blob = (...pieces) => {
    const digest = digestOf(...pieces);
    archive.add(`blobs/${digest.replace(":", "/")}`, ...pieces);
    return { digest, size: pieces.reduce((sum, piece) => sum + piece.length, 0) };
  };
  const gz = layers.map((pieces) => pieces.map((piece) => (piece[0] === 0x1f && piece[1] === 0x8b ? piece : gzipSync(piece, { level: 1 }))));
  const stored = gz.map((pieces) => ({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...blob(...pieces) }));
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: stored.map(({ digest }) => digest) } }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...blob(config) },
      layers: stored,
    }),
  );
  const annotations = name === undefined ? undefined : { "org.opencontainers.image.ref.name": name };
  const root = { mediaType: "application/vnd.oci.image.manifest.v1+json", ...blob(manifest), annotations };
  archive.add("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  archive.add("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [root] })));
  archive.end();
  return { gz: gz.map((pieces) => (pieces.length === 1 ? pieces[0] : pieces)) };
}

/** An archive as `docker save` wrote it before version 25. */
export function dockerArchive(path, layers, name) {
  const archive = new Archive(path);
  const names = layers.map((layer) => `${digestOf(layer).slice(7)}/layer.tar`);
  layers.forEach((layer, index) => archive.add(names[index], layer));
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) } }));
  archive.add("config.json", config);
  archive.add("manifest.json", Buffer.from(JSON.stringify([{ Config: "config.json", RepoTags: [name], Layers: names }])));
  archive.end();
}
