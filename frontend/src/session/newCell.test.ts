import { beforeEach, expect, test } from "vitest";

import { at, drag } from "../tools/testing_hand";
import { openSession } from "./testing_session";

beforeEach(() => localStorage.clear());

/** A session with one cell, made by the brush. The fake server stays: preferences are sent a moment later. */
function openWithACell() {
  const page = openSession();
  page.session.options.set({ ...page.session.options.get(), radius: 3, paintsInto: "auto" });
  page.hands.run("tool.brush");
  const paint = (x: number, y: number): void => drag(page.session.tools.brush, at(x, y), at(x + 2, y));
  paint(20, 20);
  return { ...page, paint, cells: () => page.session.document.size, into: () => page.session.options.get().paintsInto };
}

test("it works: the next stroke draws a cell wherever it begins, and the one after it goes on with that cell", () => {
  const { hands, paint, cells, into } = openWithACell();
  hands.run("cells.new");
  expect(into()).toBe("new");
  paint(25, 20);
  expect([cells(), into()]).toEqual([2, "auto"]);
  paint(28, 20);
  expect(cells()).toBe(2);
});

test("Escape takes it back", () => {
  const { hands, paint, cells, into } = openWithACell();
  hands.run("cells.new");
  hands.run("edit.cancel");
  expect(into()).toBe("auto");
  paint(21, 20);
  expect(cells()).toBe(1);
});

test("it ends with the image, and is nobody's preference", () => {
  const { session, hands } = openWithACell();
  hands.run("cells.new");
  session.options.set({ ...session.options.get(), radius: 9 });
  expect(session.options.get()).toMatchObject({ radius: 9, paintsInto: "new" });
  session.dispose();
  expect(openSession().session.options.get()).toMatchObject({ radius: 9, paintsInto: "auto" });
});

test("who chooses that each stroke is a cell keeps that", () => {
  const { session, hands, paint } = openWithACell();
  session.options.set({ ...session.options.get(), paintsInto: "new" });
  hands.run("cells.new");
  paint(40, 40);
  hands.run("edit.cancel");
  session.dispose();
  expect(openSession().session.options.get().paintsInto).toBe("new");
});

test("who chooses otherwise meanwhile is not overruled", () => {
  const { session, hands, into } = openWithACell();
  hands.run("cells.new");
  session.options.set({ ...session.options.get(), paintsInto: "auto" });
  session.options.set({ ...session.options.get(), radius: 4 });
  expect(into()).toBe("auto");
});
