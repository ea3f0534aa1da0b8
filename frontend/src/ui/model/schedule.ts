/** The training schedule: a crontab line, the few that people want by name, and what it says in words. */

export interface SchedulePreset {
  value: string;
  label: string;
}

export const CUSTOM = "custom";

export const PRESETS: readonly SchedulePreset[] = [
  { value: "", label: "Off" },
  { value: "0 2 * * *", label: "Every night at 02:00" },
  { value: "0 2 * * 0", label: "Sunday nights at 02:00" },
  { value: "0 */6 * * *", label: "Every 6 hours" },
];

const RANGES = [
  { name: "minute", low: 0, high: 59 },
  { name: "hour", low: 0, high: 23 },
  { name: "day of the month", low: 1, high: 31 },
  { name: "month", low: 1, high: 12 },
  { name: "day of the week", low: 0, high: 6 },
] as const;

const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

function isPart(part: string, low: number, high: number): boolean {
  const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/([1-9]\d*))?$/.exec(part);
  if (match === null) return false;
  const bounds = [match[1], match[2]].filter((bound) => bound !== undefined).map(Number);
  return bounds.every((bound) => bound >= low && bound <= high) && (bounds.length < 2 || bounds[0] <= bounds[1]);
}

/** What is wrong with a crontab line, in a sentence; empty when nothing is. The server has the last word. */
export function scheduleProblem(line: string): string {
  if (line.trim() === "") return "";
  const fields = line.trim().split(/\s+/);
  if (fields.length !== 5) return "A crontab line has five fields: minute, hour, day of the month, month, day of the week.";
  fields[4] = fields[4].toLowerCase().replace(/[a-z]{3}/g, (name) => (WEEKDAYS.includes(name) ? String(WEEKDAYS.indexOf(name)) : name));
  const wrong = RANGES.find(({ low, high }, index) => !fields[index].split(",").every((part) => isPart(part, low, high)));
  return wrong ? `The ${wrong.name} goes from ${wrong.low} to ${wrong.high}.` : "";
}

/** The preset that a stored line is, or the word for one that people wrote themselves. */
export function presetOf(line: string): string {
  return PRESETS.some((preset) => preset.value === line.trim()) ? line.trim() : CUSTOM;
}

export function scheduleWords(line: string): string {
  const preset = PRESETS.find((candidate) => candidate.value === line.trim());
  if (preset === undefined) return `on the schedule ${line.trim()}`;
  return preset.value === "" ? "" : preset.label.charAt(0).toLowerCase() + preset.label.slice(1);
}
