// A directory as areas: squarified, so that areas can be compared (Bruls, Huizing, van Wijk, "Squarified treemaps",
// 2000).

/** An area, in the units of the whole. */
export interface Area<T> {
  item: T;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Items, largest first, as areas of a rectangle. */
export function squarify<T extends { size: number }>(items: readonly T[], width: number, height: number): Area<T>[] {
  const open = items.filter(({ size }) => size > 0);
  let rest = open.reduce((sum, { size }) => sum + size, 0);
  const areas: Area<T>[] = [];
  let [x, y, w, h] = [0, 0, width, height];
  while (open.length > 0 && w > 0 && h > 0) {
    const scale = (w * h) / rest;
    const side = Math.min(w, h);
    const row: T[] = [];
    let sum = 0;
    let worst = Infinity;
    for (const item of open) {
      const next = sum + item.size * scale;
      const [large, small] = [(row[0] ?? item).size * scale, item.size * scale];
      const ratio = Math.max((side * side * large) / (next * next), (next * next) / (side * side * small));
      if (ratio > worst) break;
      worst = ratio;
      sum = next;
      row.push(item);
    }
    open.splice(0, row.length);
    const depth = sum / side;
    let at = 0;
    for (const item of row) {
      const length = (item.size * scale) / depth;
      areas.push(w >= h ? { item, x, y: y + at, width: depth, height: length } : { item, x: x + at, y, width: length, height: depth });
      at += length;
      rest -= item.size;
    }
    if (w >= h) [x, w] = [x + depth, w - depth];
    else [y, h] = [y + depth, h - depth];
  }
  return areas;
}
