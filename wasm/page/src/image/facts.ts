// The facts of an image as `cargo soci inspect --format json` writes them (docs/image-facts.md): what the page shows of
// them.

export interface ImageFacts {
  schema: string;
  root: { digest: string; size: number; mediaType: string };
  platforms: PlatformFacts[];
  totals: Totals;
}

export interface PlatformFacts {
  platform: { os: string; architecture: string; variant?: string } | null;
  manifest: { digest: string };
  layers: LayerFacts[];
  soci: { version: string; usable: boolean; buildTool: string } | null;
  totals: Totals;
}

export interface LayerFacts {
  digest: string;
  size: number;
  compression: string;
  foreign?: boolean;
  missing?: boolean;
  ztoc?: { digest: string; size: number; state?: "read" | "there" | "missing" | "unreadable" };
  noZtoc?: string;
}

export interface Totals {
  layerBytes: number;
  lazyBytes: number;
  ztocBytes: number;
  layers: number;
  lazyLayers: number;
}

/** An image as the worker gives it (`Images.settle`); facts alone where they were read from a file. */
export interface Image {
  names: string[];
  now: ImageFacts;
  /** What is odd about it, in words. */
  oddities: { text: string; harmful: boolean }[];
  /** Spans by the digest of their zTOC. */
  spans: Record<string, number>;
  converted?: ImageFacts;
  report?: { images: { platforms: { layers: LayerReport[] }[] }[] };
  /** Why nothing of it can be lazy. */
  problem?: string;
  /** The same for each layer. */
  reasons?: Record<string, string>;
}

export interface LayerReport {
  digest: string;
  outcome: "indexed" | "reused" | "skipped";
  /** Why it is left out. */
  message?: string;
  reason?: string;
  remark?: { code: string; message: string };
}

/** A node of a file system (`wasm/src/local/files.rs`). */
export interface FileNode {
  node: number;
  name: string;
  path: string;
  kind: "directory" | "file" | "link" | "other";
  layer: number;
  size: number;
  files: number;
}

/** The whole of a file system. */
export interface FilesSummary {
  root: FileNode;
  layers: { known: boolean; bytes: number; hidden: number; hiddenFiles: number }[];
  hidden: { layer: number; name: string; size: number }[];
}

/** Bytes as people read them, in the units of the command line. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : Math.round(value)}\u00a0${units[unit]}`;
}

/** A platform as it is written. */
export function platformName({ platform }: PlatformFacts): string {
  if (platform === null) return "unknown platform";
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
}

/** The first digits of a digest. */
export function short(digest: string): string {
  return digest.replace(/^[a-z0-9]+:/, "").slice(0, 12);
}
