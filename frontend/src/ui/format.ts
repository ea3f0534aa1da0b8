/** Numbers, times and names in words. Numbers carry their unit; scores have two decimals. */
const WHOLE = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export function whole(value: number): string {
  return WHOLE.format(value);
}

/** counted(1, "image") is "1 image", counted(1284, "image") "1,284 images". */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${whole(value)} ${value === 1 ? noun : plural}`;
}

export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let scaled = value / 1_000;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1_000;
    unit += 1;
  }
  return `${scaled < 9.95 ? scaled.toFixed(1) : scaled.toFixed(0)} ${units[unit]}`;
}

/** Never says 100% before the end, nor 0% after the start. */
export function percent(fraction: number): string {
  const clamped = Math.min(1, Math.max(0, fraction));
  if (clamped === 0 || clamped === 1) return `${clamped * 100}%`;
  return `${Math.min(99, Math.max(1, Math.round(clamped * 100)))}%`;
}

export function score(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : value.toFixed(2);
}

/** A change of a score with its direction; "same" where two decimals cannot tell. */
export function change(before: number, after: number): string {
  const difference = Number((after - before).toFixed(2));
  if (difference === 0) return "same";
  return `${difference > 0 ? "+" : "−"}${Math.abs(difference).toFixed(2)}`;
}

export function day(iso: string, now: Date = new Date()): string {
  const date = new Date(iso);
  return (date.getFullYear() === now.getFullYear() ? DAY : DAY_YEAR).format(date);
}

export function dayTime(iso: string, now: Date = new Date()): string {
  const date = new Date(iso);
  const time = TIME.format(date);
  return date.toDateString() === now.toDateString() ? `today ${time}` : `${day(iso, now)}, ${time}`;
}

/** The seconds from one moment to another as people say them: "40 s", "4 min", "2 h 5 min". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "a, b and c". */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

export function fileStem(name: string): string {
  return name.replace(/\.ome\.tiff?$|\.[^.]+$/i, "");
}
