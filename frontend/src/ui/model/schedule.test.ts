import { expect, test } from "vitest";

import { CUSTOM, PRESETS, presetOf, scheduleProblem, scheduleWords } from "./schedule";

test.each(["", "0 2 * * *", "*/15 0-6,20 1 1-3 0,6", "0 */6 * * *", "  0  2 * * 1-5 ", "0 2 * * mon-fri"])("it takes %o", (line) => {
  expect(scheduleProblem(line)).toBe("");
});

test.each([
  ["0 2 * *", "five fields"], ["60 2 * * *", "minute"], ["0 24 * * *", "hour"], ["0 2 0 * *", "day of the month"],
  ["0 2 * 13 *", "month"], ["0 2 * * 7", "day of the week"], ["0 2 * * xyz", "day of the week"], ["5-1 2 * * *", "minute"], ["*/0 * * * *", "minute"],
])("it refuses %o and names the field", (line, word) => {
  expect(scheduleProblem(line)).toContain(word);
});

test("it knows its own presets", () => {
  expect(PRESETS.map((preset) => scheduleProblem(preset.value))).toEqual(PRESETS.map(() => ""));
  expect([presetOf("0 2 * * *"), presetOf(""), presetOf("5 4 * * *")]).toEqual(["0 2 * * *", "", CUSTOM]);
});

test.each([
  ["", ""],
  ["0 2 * * *", "every day at 02:00"],
  ["30 2 * * 1-5", "at 02:30 on Monday to Friday"],
  ["0 2 * * mon,fri", "at 02:00 on Monday and Friday"],
  ["0 2,14 1 * *", "at 02:00 and 14:00 on day 1 of the month"],
  ["15 3 * 1,7 0", "at 03:15 on Sunday, in January and July"],
  ["0 */6 * * *", "every 6 hours"],
  ["*/15 * * * *", "every 15 minutes"],
  ["*/7 0-6,20 1 1-3 0,6", "on the schedule */7 0-6,20 1 1-3 0,6"],
])("it says %o as %o", (line, words) => {
  expect(scheduleWords(line)).toBe(words);
});
