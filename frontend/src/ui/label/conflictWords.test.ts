import { expect, test } from "vitest";

import { EMPTY_PATCH } from "../../document/patch";
import { conflictWords } from "./conflictWords";

const ASIDE = { patch: EMPTY_PATCH };
const BOTH = { patch: null };

test("what is in the picture is not called kept aside, and what is kept aside not in the picture", () => {
  expect(conflictWords([BOTH])).toBe("1 change of yours met someone else's: both versions are in the picture.");
  expect(conflictWords([ASIDE, ASIDE])).toBe("2 changes of yours are kept aside and not in the picture.");
  expect(conflictWords([BOTH, ASIDE])).toBe(
    "1 change of yours met someone else's and both versions are in the picture; 1 is kept aside.",
  );
});
