import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { keyboard } from "../../session/keys/keyboard";
import { RequireSession } from "../session/RequireSession";
import { type Sent, renderPage, stubServer } from "../testing_page";
import { KeysOverlay } from "./KeysOverlay";
import { KeysPage } from "./KeysPage";

const user = { id: 41, username: "ada", name: "Ada", initials: "A", is_staff: false };
const stored = { keys: { preset: "cellloop", overrides: {} }, looks: { "seeing.fill": 0.4 } };
let sent: Sent[] = [];

beforeEach(() => {
  sent = stubServer({
    "GET /api/session": () => [200, { user, csrf: "token" }],
    "GET /api/me/preferences": () => [200, stored],
    "PUT /api/me/preferences": ({ body }) => [200, body],
  });
});
afterEach(() => {
  cleanup();
  keyboard.reset();
  keyboard.choosePreset("cellloop");
  vi.unstubAllGlobals();
  localStorage.clear();
});

const rowOf = (action: string): HTMLElement => {
  const row = screen.getAllByTestId("key-command").find((one) => one.dataset.action === action);
  if (!row) throw new Error(`no row for ${action}`);
  return row;
};

test("a key that another command has is taken only after a word, and the server is told", async () => {
  renderPage(
    <RequireSession>
      <KeysPage />
    </RequireSession>,
  );
  await screen.findByText("Keys", { selector: "h1" });
  await waitFor(() => expect(sent.some(({ path }) => path === "/api/me/preferences")).toBe(true));
  fireEvent.click(within(rowOf("tool.brush")).getByTestId("add-key"));
  fireEvent.keyDown(window, { key: "o", code: "KeyO" });
  expect(rowOf("tool.brush").textContent).toContain('O is "Outlines on or off"');
  expect(keyboard.bindings.get()["tool.brush"]).toEqual(["b"]);
  fireEvent.click(screen.getByTestId("take-key"));
  expect(keyboard.bindings.get()["tool.brush"]).toEqual(["b", "o"]);
  expect(rowOf("view.outlines").textContent).toContain("no key");
  await waitFor(() => expect(sent.at(-1)).toMatchObject({ method: "PUT", body: { keys: { overrides: { "tool.brush": ["b", "o"], "view.outlines": [] } }, looks: stored.looks } }), { timeout: 3000 });
  fireEvent.click(screen.getByTestId("reset-keys"));
  expect(keyboard.bindings.get()["view.outlines"]).toEqual(["o"]);
  await waitFor(() => expect(screen.getByTestId("keys-saved").dataset.saved).toBe("true"), { timeout: 3000 });
}, 20_000);

test("the browser's own chords are refused with a reason", async () => {
  renderPage(
    <RequireSession>
      <KeysPage />
    </RequireSession>,
  );
  await screen.findByText("Keys", { selector: "h1" });
  fireEvent.click(within(rowOf("tool.brush")).getByTestId("add-key"));
  fireEvent.keyDown(window, { key: "w", code: "KeyW", ctrlKey: true });
  expect(rowOf("tool.brush").textContent).toContain("Ctrl W belongs to the browser.");
  expect(screen.queryByTestId("take-key")).toBeNull();
}, 20_000);

test("the overlay lists the live keys and finds them by name and by key", async () => {
  renderPage(<KeysOverlay opened onClose={() => undefined} />);
  keyboard.bind("tool.brush", ["9"]);
  const find = await screen.findByLabelText("Find a key or what it does");
  const actions = (): (string | undefined)[] => screen.getAllByTestId("key-row").map((row) => row.dataset.action);
  fireEvent.change(find, { target: { value: "swap brush" } });
  expect(actions()).toEqual(["tool.swap"]);
  fireEvent.change(find, { target: { value: "9" } });
  expect(actions()).toEqual(["tool.brush"]);
});
