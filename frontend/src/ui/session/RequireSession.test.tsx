import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { renderPage, stubServer } from "../testing_page";
import { RequireSession } from "./RequireSession";
import { useSession } from "./useSession";

const ALICE = { user: { id: 1, username: "alice", name: "Alice Adler", initials: "AA", is_staff: false }, csrf: "first" };

/** A page with a button that asks who is logged in once more, as the query client does by itself after a while. */
function Work() {
  const session = useSession();
  return (
    <>
      <button onClick={() => void session.refetch()}>Ask again</button>
      {session.isError && <p>No answer</p>}
    </>
  );
}

function open(answers: [status: number, body: unknown][]) {
  const sent = stubServer({ "GET /api/session": () => answers[Math.min(sent.length, answers.length) - 1] });
  const { history } = renderPage(<RequireSession><Work /></RequireSession>, "/images/i");
  return history;
}

const REFUSED: [number, unknown] = [403, { code: "forbidden", detail: "Not now." }];

test("it works", async () => {
  open([[200, ALICE]]);
  expect(await screen.findByRole("button", { name: "Ask again" })).toBeTruthy();
});

test("it keeps the page of who is logged in while asking again fails", async () => {
  open([[200, ALICE], REFUSED]);
  await userEvent.click(await screen.findByRole("button", { name: "Ask again" }));
  expect(await screen.findByText("No answer")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Ask again" })).toBeTruthy();
});

test("it says that asking failed where nobody is known yet", async () => {
  open([REFUSED]);
  expect(await screen.findByText("Not now.")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Ask again" })).toBeNull();
});

test("it leads to the login page once the server says that nobody is logged in", async () => {
  const history = open([[200, ALICE], [200, { user: null, csrf: "second" }]]);
  await userEvent.click(await screen.findByRole("button", { name: "Ask again" }));
  await waitFor(() => expect(history?.at(-1)).toBe("/login?next=%2Fimages%2Fi"));
});
