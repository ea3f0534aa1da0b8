import { expect, test } from "vitest";

import { channelMapOf, channelMapWords, channelNames, choiceProblem, guessChannels, namedChannels } from "./channels";

test("it collects the names of all waiting images once", () => {
  const images = [{ channels: [{ name: "DAPI" }, { name: "Actin" }] }, { channels: [{ name: "Actin" }, { name: "WGA" }] }];
  expect(channelNames(images)).toEqual(["DAPI", "Actin", "WGA"]);
});

test("it guesses from the names", () => {
  expect(guessChannels(["Phalloidin-actin", "Hoechst 33342"], null)).toEqual({ nuclear: "Hoechst 33342", wholeCell: "Phalloidin-actin", isStain: false });
  expect(guessChannels(["Red", "Green", "Blue"], null)).toEqual({ nuclear: null, wholeCell: null, isStain: true });
  expect(guessChannels(["C0", "C1"], null)).toEqual({ nuclear: null, wholeCell: null, isStain: false });
});

test("it keeps what the project remembers where the images have it", () => {
  expect(guessChannels(["DAPI", "FITC"], { nuclear: "FITC", whole_cell: "Cy5", rgb: false })).toEqual({ nuclear: "FITC", wholeCell: null, isStain: false });
});

test("it lets a stain and named channels stand side by side", () => {
  const names = ["Red", "Green", "Blue", "DAPI", "Actin"];
  const choice = guessChannels(names, null);
  expect(choice).toEqual({ nuclear: "DAPI", wholeCell: "Actin", isStain: true });
  expect(namedChannels(names, true)).toEqual(["DAPI", "Actin"]);
  expect(channelMapOf(choice)).toEqual({ nuclear: "DAPI", whole_cell: "Actin", rgb: true });
});

test("it does not forget the named channels when only stains wait", () => {
  const choice = guessChannels(["Red", "Green", "Blue"], { nuclear: "DAPI", whole_cell: null, rgb: false });
  expect(channelMapOf(choice)).toEqual({ nuclear: "DAPI", whole_cell: null, rgb: true });
});

test("it takes colour as channels again where someone had said so", () => {
  expect(guessChannels(["Red", "Green", "Blue"], { nuclear: "Blue", whole_cell: "Green", rgb: false })).toEqual({ nuclear: "Blue", wholeCell: "Green", isStain: false });
});

test("it does not forget the stain when only named channels wait", () => {
  const choice = guessChannels(["DAPI", "Actin"], { nuclear: null, whole_cell: null, rgb: true });
  expect(channelMapOf(choice)).toEqual({ nuclear: "DAPI", whole_cell: "Actin", rgb: true });
});

test.each([
  [{ nuclear: null, wholeCell: null, isStain: false }, ["DAPI"], /at least one/],
  [{ nuclear: null, wholeCell: null, isStain: true }, ["DAPI"], /at least one/],
  [{ nuclear: "DAPI", wholeCell: "DAPI", isStain: false }, ["DAPI"], /different/],
  [{ nuclear: "DAPI", wholeCell: null, isStain: false }, ["DAPI"], /^$/],
  [{ nuclear: null, wholeCell: null, isStain: true }, ["Red", "Green", "Blue"], /^$/],
])("it says what is missing from %o for %o", (choice, names, problem) => {
  expect(choiceProblem(choice, names)).toMatch(problem);
});

test("it says a map in words", () => {
  expect(channelMapWords({ nuclear: "DAPI", whole_cell: "Actin", rgb: false })).toBe("DAPI is nuclear, Actin is whole-cell");
  expect(channelMapWords({ nuclear: null, whole_cell: null, rgb: true })).toBe("colour is a stain");
});
