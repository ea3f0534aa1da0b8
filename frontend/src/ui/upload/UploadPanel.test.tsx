import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { renderPage } from "../testing_page";
import { createUploadQueue } from "./queue";
import { UploadPanel } from "./UploadPanel";

/** Files named bad* fail, those named slow* never end. */
function open(...names: string[]) {
  let tries = 0;
  const queue = createUploadQueue({
    describe: (error) => (error instanceof Error ? error.message : ""),
    send: (file) => {
      tries += 1;
      if (file.name.startsWith("slow")) return new Promise(() => undefined);
      return file.name.startsWith("bad") ? Promise.reject(new Error(`${file.name}: truncated after page 3. Pages 4 to 8 are missing.`)) : Promise.resolve({ id: file.name });
    },
  });
  renderPage(<UploadPanel queue={queue} />);
  act(() => queue.add(names.map((name) => new File(["12345"], name))));
  return { queue, tries: () => tries };
}

test("it counts what is done and goes on past a bad file", async () => {
  open("a.tif", "bad.tif", "slow.tif");
  expect(await screen.findByText("2 of 3 done")).toBeTruthy();
  expect(screen.getByRole("alert").textContent).toContain("bad.tif: truncated after page 3");
  expect(screen.getByText("Pages 4 to 8 are missing.")).toBeTruthy();
});

test("it uploads again, and lets go of what is dismissed", async () => {
  const { tries } = open("bad.tif");
  await userEvent.click(await screen.findByRole("button", { name: "Upload again" }));
  await screen.findByRole("alert");
  expect(tries()).toBe(2);
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByTestId("uploads")).toBeNull();
});

test("it does not call a refused file uploaded", async () => {
  open("bad.tif");
  expect(await screen.findByText("Not uploaded")).toBeTruthy();
  expect(screen.queryByText("0 files")).toBeNull();
});

test("it offers one click for many failures", async () => {
  open("bad1.tif", "bad2.tif", "a.tif");
  expect(await screen.findByText("2 not added")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Dismiss all" }));
  expect(screen.queryAllByRole("alert")).toEqual([]);
  expect(screen.getByText("1 file")).toBeTruthy();
});
