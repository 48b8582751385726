// Inputs of an Action as the runner gives them: variables of the environment, texts without a form.

/** What is wrong with the inputs, in words for the user. */
export class InputError extends Error {}

/** The variable that holds an input. */
export function variable(name: string): string {
  return `INPUT_${name.toUpperCase()}`;
}

/** The runner passes on whatever stands under `with:`, so a misspelled input would go unnoticed. */
export function refuseUnknown(environment: NodeJS.ProcessEnv, inputs: readonly string[]): void {
  const known = new Set(inputs.map(variable));
  const unknown = Object.keys(environment)
    .filter((name) => name.startsWith("INPUT_") && !known.has(name))
    .map((name) => name.slice("INPUT_".length).toLowerCase())
    .sort();
  if (unknown.length === 0) return;
  const names = unknown.map(quoted).join(", ");
  throw new InputError(`unknown ${unknown.length === 1 ? "input" : "inputs"} ${names}; there are: ${inputs.join(", ")}`);
}

/** Lines that hold something. */
export function lines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Words between spaces, commas and line ends. */
export function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

/** One of a few words; the first one where nothing is given. */
export function choice<W extends string>(input: string, text: string, words: readonly [W, ...W[]]): W {
  if (text === "") return words[0];
  const found = words.find((word) => word === text);
  if (found === undefined) throw new InputError(`input ${input} is ${quoted(text)}: use one of ${words.join(", ")}`);
  return found;
}

/** A text of the user's in a message. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}
