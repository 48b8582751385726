// esbuild's text loader gives these files as strings.
declare module "*.json" {
  const text: string;
  export default text;
}
declare module "*.yaml" {
  const text: string;
  export default text;
}
