// The inputs of convert/action.yml, read from the environment as the runner sets it. What a value means for the image
// is decided by the module; here only the form is checked.

import { choice, InputError, lines, quoted, refuseUnknown, variable, words } from "../../action/src/given.ts";

/** The inputs of one run. */
export interface Inputs {
  /** References. */
  images: string[];
  /** The JSON that a builder wrote about what it pushed. */
  metadata: string | undefined;
  /** One target of bake's. */
  target: string | undefined;
  /** What is the same for every image; the names are the module's (`Job` in `wasm/src/image/convert.rs`). */
  job: {
    destination?: string;
    tagModel: "replace" | "sibling";
    platforms: string[];
    spanSize?: number;
    minLayerSize?: number;
    prefetchFiles: string[];
    allowDifferences: boolean;
    passesNothingToIndex: boolean;
    login?: { username: string; password: string };
  };
}

const KNOWN = [
  "image",
  "metadata",
  "target",
  "destination",
  "tag-model",
  "platforms",
  "span-size",
  "min-layer-size",
  "prefetch-files",
  "allow-differences",
  "if-nothing-to-index",
  "username",
  "password",
];

/** Reads all inputs; throws an `InputError` that names every unknown one, or the first wrong one. */
export function readInputs(environment: NodeJS.ProcessEnv): Inputs {
  refuseUnknown(environment, KNOWN);
  const value = (name: string): string => (environment[variable(name)] ?? "").trim();

  const images = lines(value("image"));
  const metadata = value("metadata") || undefined;
  if (images.length === 0 && metadata === undefined) {
    throw new InputError("inputs image and metadata are empty: name an image, or give the metadata of the build that pushed it");
  }
  const destination = value("destination") || undefined;
  const target = value("target") || undefined;
  const tagModel = choice("tag-model", value("tag-model"), ["replace", "sibling"]);
  for (const [one, other, both] of [
    ["image", "metadata", images.length > 0 && metadata !== undefined],
    ["target", "image", target !== undefined && metadata === undefined],
    ["destination", "metadata", destination !== undefined && metadata !== undefined],
    ["destination", "tag-model", destination !== undefined && tagModel === "sibling"],
  ] as const) {
    if (both) throw new InputError(`inputs ${one} and ${other} contradict each other: leave one of them out`);
  }
  if (destination !== undefined && images.length > 1) {
    throw new InputError(`input destination is one name, and image names ${images.length} images: convert them in a step each`);
  }
  const spanSize = size("span-size", value("span-size"));
  if (spanSize === 0) throw new InputError("input span-size is 0: a span has at least one byte; the default is 4MiB");
  const minLayerSize = size("min-layer-size", value("min-layer-size"));
  const username = value("username");
  const password = environment[variable("password")] ?? "";
  if ((username === "") !== (password === "")) {
    throw new InputError(`input ${username === "" ? "password" : "username"} is given without ${username === "" ? "username" : "password"}`);
  }
  return {
    images,
    metadata,
    target,
    job: {
      ...(destination === undefined ? {} : { destination }),
      tagModel,
      platforms: words(value("platforms")),
      ...(spanSize === undefined ? {} : { spanSize }),
      ...(minLayerSize === undefined ? {} : { minLayerSize }),
      prefetchFiles: lines(value("prefetch-files")),
      allowDifferences: choice("allow-differences", value("allow-differences"), ["false", "true"]) === "true",
      passesNothingToIndex: choice("if-nothing-to-index", value("if-nothing-to-index"), ["pass", "fail"]) === "pass",
      ...(username === "" ? {} : { login: { username, password } }),
    },
  };
}

/** Bytes with a unit, as on the command line: `4MiB`, `500KB`, `1048576`. */
function size(input: string, text: string): number | undefined {
  if (text === "") return undefined;
  const [, number, unit] = /^(\d+(?:\.\d{1,6})?) *([kmg](?:i?b)?|b)?$/i.exec(text) ?? [];
  if (number === undefined) throw new InputError(`input ${input} is ${quoted(text)}: write bytes, or a number with a unit, as in 4MiB`);
  const letter = (unit ?? "").charAt(0).toLowerCase();
  const base = /^.i/i.test(unit ?? "") || unit === undefined || unit.length === 1 ? 1024 : 1000;
  const bytes = Math.floor(Number(number) * base ** Math.max(0, "bkmg".indexOf(letter)));
  if (!Number.isSafeInteger(bytes)) throw new InputError(`input ${input} is ${quoted(text)}: that is too large`);
  return bytes;
}
