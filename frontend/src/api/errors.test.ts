import { expect, test } from "vitest";

import { ApiError, apiErrorFrom, isStatus, messageOf, OfflineError } from "./errors";

test("it carries the server's code and sentence", () => {
  const error = apiErrorFrom(409, { code: "stale_revision", detail: "The image has moved on.", revision: 7 }, "2");
  expect(error).toBeInstanceOf(ApiError);
  expect([error.status, error.code, error.message, error.retryAfter]).toEqual([409, "stale_revision", "The image has moved on.", 2]);
  expect(error.body.revision).toBe(7);
});

test("it makes a sentence when the body is not ours", () => {
  expect(apiErrorFrom(502, "<html>").message).toBe("The server answered 502.");
  expect(apiErrorFrom(502, null).code).toBe("http_502");
  expect(apiErrorFrom(503, {}, "soon").retryAfter).toBeNull();
});

test("it tells a decided answer from no answer", () => {
  expect(isStatus(apiErrorFrom(404, {}), 404)).toBe(true);
  expect(isStatus(new OfflineError(), 404)).toBe(false);
  expect(messageOf("thrown text")).toBe("Something went wrong.");
});
