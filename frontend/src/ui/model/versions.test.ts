import { expect, test } from "vitest";

import { firstImage, firstVersions, isComparable } from "../compare/choices";
import { anImage } from "../sample_data";
import { aModel, aVersion, anEvaluation } from "./sample_model";
import { activationWord, earlierVersion, measuredVersion } from "./versions";
import { evidenceWords, progressWords } from "./wording";

test("one click goes back to the version that served last", () => {
  const older = aVersion({ id: "o", state: "earlier", activated_at: "2026-10-01T00:00:00Z" });
  const model = aModel();
  expect(earlierVersion({ ...model, versions: [...model.versions, older] })?.id).toBe("v0");
});

test("a project that has only its base goes back to nothing", () => {
  const base = aVersion({ state: "active" });
  expect(earlierVersion({ versions: [base], active: base })).toBeUndefined();
});

test("a version that served is restored, one that did not is promoted, the active one neither", () => {
  const words = (["active", "earlier", "rejected", "imported", "pending", "failed"] as const).map((state) => activationWord(aVersion({ state })));
  expect(words).toEqual([null, "Restore", "Promote", "Promote", null, null]);
});

test("the figures are those that were asked for, else the newest that were measured", () => {
  const model = aModel();
  expect(measuredVersion(model, "v1")?.id).toBe("v1");
  expect(measuredVersion(model, "v0")?.id).toBe("v2");
  expect(measuredVersion({ runs: [], versions: [aVersion({ evaluation: { ...anEvaluation(0, 0), images: 0 } })] }, null)).toBeUndefined();
});

test("the loop says first what it waits for", () => {
  const model = aModel();
  expect(progressWords({ ...model, corrections: { ...model.corrections, corrected: 37 } })).toBe("13 more corrected cells until there is enough to learn from");
  expect(progressWords({ ...model, training: { ...model.training, automatic_reason: "Every run so far failed." } })).toBe("Every run so far failed.");
  expect(progressWords(model)).toBe("Next run at 200, or every day at 04:05");
});

test("too little evidence is said with what to do about it", () => {
  const model = aModel();
  expect(evidenceWords(model)).toBe("");
  const few = { ...model, held_out: { images: 4, submitted: 3, deciding: 3, needed: 5 } };
  expect(evidenceWords(few)).toBe("Label 2 more held-out images with cells, drawn without outlines, before a version can be judged. 1 is waiting.");
});

test("a blind image can be compared on when it is submitted, and not before", () => {
  const blind = anImage({ blind: true, split: "held_out" });
  expect([isComparable(blind), isComparable({ ...blind, status: "submitted" }), isComparable(anImage({ status: "queued" }))]).toEqual([false, true, false]);
});

test("comparing begins with the active version, the newest other one and a held-out image", () => {
  expect(firstVersions(aModel())?.map(({ id }) => id)).toEqual(["v1", "v2"]);
  expect(firstVersions({ versions: [aVersion()], active: null })).toBeNull();
  const held = anImage({ id: "h", split: "held_out", status: "submitted" });
  expect(firstImage([anImage(), held])?.id).toBe("h");
});
