// What the module asks of its host, on a worker: a part of a file, read before the call returns.

/** Read at once where one read follows the other, so that small ones cost little. */
const AHEAD = 1024 * 1024;

/** Puts the host where the module looks for it; gives a function that says which files it reads. */
export function install(progress: (bytes: number) => void): (files: readonly Blob[]) => void {
  const reader = new FileReaderSync();
  let files: readonly Blob[] = [];
  let trouble = "";
  /** What was read last, and where in which file. */
  let held = { file: -1, start: 0, bytes: new Uint8Array() };

  const part = (file: number, start: number, length: number): Uint8Array<ArrayBuffer> => {
    const blob = files[file];
    if (blob === undefined) throw new Error(`there is no file ${file}`);
    return new Uint8Array(reader.readAsArrayBuffer(blob.slice(start, start + length)));
  };

  const host = {
    read(file: number, offset: number, buffer: Uint8Array): number {
      try {
        let at = offset - held.start;
        const isHeld = file === held.file && at >= 0 && at < held.bytes.length;
        if (!isHeld) {
          const follows = file === held.file && at === held.bytes.length;
          held = { file, start: offset, bytes: part(file, offset, follows ? Math.max(AHEAD, buffer.length) : buffer.length) };
          at = 0;
        }
        const bytes = held.bytes.subarray(at, at + buffer.length);
        buffer.set(bytes);
        return bytes.length;
      } catch (error) {
        trouble = `the browser cannot read the file (${(error as Error).message})`;
        return -1;
      }
    },
    trouble: (): string => trouble,
    progress,
  };
  Object.assign(globalThis, { sociFiles: host });
  return (given) => {
    files = given;
    held = { file: -1, start: 0, bytes: new Uint8Array() };
  };
}
