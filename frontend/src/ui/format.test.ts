import { expect, test } from "vitest";

import { bytes, change, counted, dayTime, duration, listed, percent, score, whole } from "./format";

test("it groups thousands and agrees in number", () => {
  expect(whole(1284)).toBe("1,284");
  expect(counted(1, "image")).toBe("1 image");
  expect(counted(0, "image")).toBe("0 images");
  expect(counted(1120, "corrected cell")).toBe("1,120 corrected cells");
});

test.each([
  [0, "0 B"], [999, "999 B"], [1_500, "1.5 kB"], [184_000_000, "184 MB"], [2_000_000_000, "2.0 GB"], [999_900, "1.0 MB"],
])("it writes %d bytes as %s", (value, text) => {
  expect(bytes(value)).toBe(text);
});

test("it never says done before the end", () => {
  expect([0, 0.001, 0.43, 0.999, 1, 1.2, -1].map(percent)).toEqual(["0%", "1%", "43%", "99%", "100%", "100%", "0%"]);
});

test("it gives scores two decimals and changes a direction", () => {
  expect([score(0.8567), score(null), score(undefined)]).toEqual(["0.86", "–", "–"]);
  expect([change(0.71, 0.74), change(0.71, 0.66), change(0.931, 0.9329)]).toEqual(["+0.03", "−0.05", "same"]);
});

test.each([[0.2, "1 s"], [40, "40 s"], [59.6, "60 s"], [240, "4 min"], [7500, "2 h 5 min"], [7200, "2 h"]])(
  "it says %d seconds as %s",
  (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  },
);

test("it names today and leaves out this year", () => {
  const now = new Date(2026, 4, 12, 15, 0);
  expect(dayTime(new Date(2026, 4, 12, 9, 5).toISOString(), now)).toBe("today 09:05");
  expect(dayTime(new Date(2026, 3, 24, 9, 5).toISOString(), now)).toBe("24 Apr, 09:05");
  expect(dayTime(new Date(2025, 3, 24, 9, 5).toISOString(), now)).toBe("24 Apr 2025, 09:05");
});

test("it joins a list in words", () => {
  expect([listed([]), listed(["DAPI"]), listed(["DAPI", "Actin"]), listed(["a", "b", "c"])]).toEqual([
    "", "DAPI", "DAPI and Actin", "a, b and c",
  ]);
});
