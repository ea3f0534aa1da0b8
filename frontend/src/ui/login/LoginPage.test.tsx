import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { Route } from "wouter";

import { renderPage, stubServer, type Sent } from "../testing_page";
import { LoginPage } from "./LoginPage";

const USER = { id: 1, username: "alice", name: "Alice Adler", initials: "AA", is_staff: false };

function server() {
  return stubServer({
    "GET /api/session": () => [200, { user: null, csrf: "first" }],
    "POST /api/session": ({ body }: Sent) =>
      (body as { password: string }).password === "correct"
        ? [200, { user: USER, csrf: "second" }]
        : [400, { code: "wrong_credentials", detail: "The name or the password is wrong." }],
  });
}

async function logIn(password: string) {
  await userEvent.type(await screen.findByLabelText("Username"), "alice");
  await userEvent.type(screen.getByLabelText("Password"), password);
  await userEvent.click(screen.getByRole("button", { name: "Log in" }));
}

test("it goes to the page that was asked for", async () => {
  const sent = server();
  const { history } = renderPage(<Route path="/login" component={LoginPage} />, "/login?next=%2Fprojects%2Fp");
  await logIn("correct");
  await waitFor(() => expect(history?.at(-1)).toBe("/projects/p"));
  expect(sent.at(-1)).toEqual({ method: "POST", path: "/api/session", body: { username: "alice", password: "correct" } });
});

test("it says why it did not let anyone in and keeps the name", async () => {
  server();
  renderPage(<LoginPage />, "/login");
  await logIn("wrong");
  expect((await screen.findByRole("alert")).textContent).toBe("The name or the password is wrong.");
  expect(screen.getByLabelText<HTMLInputElement>("Username").value).toBe("alice");
});
