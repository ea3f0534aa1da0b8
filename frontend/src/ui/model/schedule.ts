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

/** "mon-fri" as "1-5", in the last field alone: elsewhere a name is a mistake. */
function namesToNumbers(line: string): string {
  return line.trim().replace(/\S+$/, (field) => field.toLowerCase().replace(/[a-z]{3}/g, (name) => (WEEKDAYS.includes(name) ? String(WEEKDAYS.indexOf(name)) : name)));
}

/** What is wrong with a crontab line, in a sentence; empty when nothing is. The server has the last word. */
export function scheduleProblem(line: string): string {
  if (line.trim() === "") return "";
  const fields = namesToNumbers(line).split(/\s+/);
  if (fields.length !== 5) return "A crontab line has five fields: minute, hour, day of the month, month, day of the week.";
  const wrong = RANGES.find(({ low, high }, index) => !fields[index].split(",").every((part) => isPart(part, low, high)));
  return wrong ? `The ${wrong.name} goes from ${wrong.low} to ${wrong.high}.` : "";
}

/** The preset that a stored line is, or the word for one that people wrote themselves. */
export function presetOf(line: string): string {
  return PRESETS.some((preset) => preset.value === line.trim()) ? line.trim() : CUSTOM;
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

/** "Monday to Friday and Sunday" for "1-5,0". Null for steps, which have no such name. */
function named(field: string, name: (value: number) => string): string | null {
  if (!/^[\d,-]+$/.test(field)) return null;
  return listed(field.split(",").map((part) => part.split("-").map(Number).map(name).join(" to ")));
}

const every = (field: string): number | null => (/^\*\/\d+$/.test(field) ? Number(field.slice(2)) : null);
const two = (value: string | number): string => String(value).padStart(2, "0");

/** The minutes and hours: "at 02:30", "every 6 hours". */
function timeWords(minute: string, hour: string): string | null {
  const [minutes, hours] = [every(minute), every(hour)];
  if (hour === "*" && minute === "*") return "every minute";
  if (hour === "*" && minutes !== null) return `every ${minutes} minutes`;
  if (!/^\d+$/.test(minute)) return null;
  if (hour === "*") return `every hour at ${two(minute)} past`;
  if (hours !== null) return `every ${hours} hours${minute === "0" ? "" : `, ${minute} minutes past`}`;
  if (/^[\d,]+$/.test(hour)) return `at ${listed(hour.split(",").map((one) => `${two(one)}:${two(minute)}`))}`;
  return null;
}

/** The days: "on Monday to Friday", "on day 1 of the month"; a line that names both asks for both. */
function dayWords(dayOfMonth: string, month: string, weekday: string): string[] | null {
  const parts: string[] = [];
  const fields: [string, (words: string) => string, (value: number) => string][] = [
    [weekday, (words) => `on ${words}`, (value) => DAYS[value]],
    [dayOfMonth, (words) => `on day ${words} of the month`, String],
    [month, (words) => `in ${words}`, (value) => MONTHS[value - 1]],
  ];
  for (const [field, say, name] of fields) {
    if (field === "*") continue;
    const words = named(field, name);
    if (words === null) return null;
    parts.push(say(words));
  }
  return parts;
}

/** A crontab line in words that go on from "trains": "every day at 02:00"; the line itself where words would be longer. Empty for none. */
export function scheduleWords(line: string): string {
  if (line.trim() === "") return "";
  const [minute, hour, dayOfMonth, month, weekday] = namesToNumbers(line).split(/\s+/);
  const time = timeWords(minute, hour);
  const days = dayWords(dayOfMonth, month, weekday);
  if (time === null || days === null) return `on the schedule ${line.trim()}`;
  return [days.length === 0 && time.startsWith("at") ? `every day ${time}` : time, ...days].join(", ").replace(/^(at [^,]+), on/, "$1 on");
}
