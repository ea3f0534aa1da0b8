const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const whole = (value: number): string => WHOLE.format(value);

/** "91 µm²" where the pixel size is known, else "1,024 px"; no decimals over 10. */
export function areaWords(pixels: number, pixelSizeUm: number | null): string {
  return `${areaFigure(pixels, pixelSizeUm)} ${areaUnit(pixelSizeUm)}`;
}

export const areaUnit = (pixelSizeUm: number | null): string => (pixelSizeUm ? "µm²" : "px");

export function areaFigure(pixels: number, pixelSizeUm: number | null): string {
  if (!pixelSizeUm) return whole(pixels);
  const area = pixels * pixelSizeUm ** 2;
  return area > 10 ? whole(area) : area.toFixed(1);
}
