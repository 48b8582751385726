// What the module gives back, as `Done` in `wasm/src/image/convert.rs` and the reports of soci-store write it.

/** One conversion. */
export interface Done {
  names: string[];
  digest: string;
  mediaType: string;
  size: number;
  /** SOCI indexes by platform. */
  sociIndexes: Record<string, string>;
  lazyBytes: number;
  imageBytes: number;
  /** Why nothing was indexed. */
  nothingToIndex: string | null;
  report: Report | null;
}

/** What was done with the image. */
export interface Report {
  images: { changed: boolean; platforms: { platform: string; sociIndex: string | null; layers: Layer[] }[] }[];
  missingPrefetchFiles: string[];
  traffic?: { received: number; sent: number; notSent: number };
}

/** What became of a layer. */
export interface Layer {
  digest: string;
  size: number;
  outcome: "indexed" | "reused" | "skipped";
  ztocSize?: number;
  members?: number;
  from?: string;
  /** A word for why it was skipped. */
  reason?: string;
  message?: string;
  remark?: { message: string };
}
