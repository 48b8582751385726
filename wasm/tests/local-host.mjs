// The module for images in files, in Node: its host reads from the disk.

import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { basename, join, sep } from "node:path";

import { contentsOf, Images, initSync, LayerReader } from "../glue/soci_local.js";
import { ROOT } from "./root.mjs";

/** What the host reads: descriptors with the stretches that count as files. */
let files = [];
let trouble = "";
export const read = { bytes: 0, calls: 0 };

globalThis.sociFiles = {
  read(file, offset, buffer) {
    try {
      const { fd, start, size } = files[file];
      const length = Math.max(0, Math.min(buffer.length, size - offset));
      const count = length === 0 ? 0 : readSync(fd, buffer, 0, length, start + offset);
      read.bytes += count;
      read.calls += 1;
      return count;
    } catch (error) {
      trouble = error.message;
      return -1;
    }
  },
  trouble: () => trouble,
  progress() {},
};

initSync({ module: readFileSync(join(ROOT, "wasm/page/dist/soci_local.wasm")) });

/** One layer as a worker of the page reads it: its zTOC, or else what is in it. */
export function readLayer({ mediaType, digest, size, length, index }, { fd, start }) {
  let outcome = "null";
  if (index) {
    const reader = new LayerReader(mediaType, digest, size);
    const piece = Buffer.alloc(1 << 20);
    for (let at = 0; at < length; at += piece.length) {
      reader.push(piece.subarray(0, readSync(fd, piece, 0, Math.min(piece.length, length - at), start + at)));
    }
    const read = reader.finish();
    outcome = read.outcome();
    const ztoc = read.ztoc();
    read.free();
    if (ztoc.length > 0) return [outcome, ztoc];
  }
  return [outcome, contentsOf(mediaType, digest, size, length)];
}

/** Opens a file, or a folder with all that is in it, as the page does; each layer is read by itself. */
export function open(path, { minLayerSize } = {}) {
  const isFolder = statSync(path).isDirectory();
  const paths = isFolder ? readdirSync(path, { recursive: true }).filter((name) => statSync(join(path, name)).isFile()) : [""];
  const mine = paths.map((name) => {
    const fd = openSync(join(path, name), "r");
    return { fd, start: 0, size: fstatSync(fd).size };
  });
  files = mine;
  const named = mine.map(({ size }, index) => ({ path: paths[index].split(sep).join("/"), size }));
  const images = new Images(basename(path), JSON.stringify(named), isFolder, minLayerSize);
  const layers = JSON.parse(images.layers());
  for (const layer of layers) {
    const { fd } = mine[layer.file];
    files = [{ fd, start: layer.offset, size: layer.length }];
    try {
      images.keep(layer.digest, ...readLayer(layer, files[0]));
    } catch {
      // What is wrong with it is said when the images are settled.
    }
  }
  files = mine;
  const close = () => mine.forEach(({ fd }) => closeSync(fd));
  return { images, layers, close, isLayer: images.isLayer() };
}

export { Images };
