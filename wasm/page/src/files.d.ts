// esbuild's text loader gives these files as strings.
declare module "*.json" {
  const text: string;
  export default text;
}
declare module "*.yaml" {
  const text: string;
  export default text;
}

/** What workers have and pages have not: a file read before the call returns. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
