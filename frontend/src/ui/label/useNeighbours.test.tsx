import { renderHook, waitFor } from "@testing-library/react";
import { QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { expect, test, vi } from "vitest";

import { createQueryClient } from "../queries";
import { anImage } from "../sample_data";
import { useNeighbours } from "./useNeighbours";

const TOTAL = 60;
const ALL = Array.from({ length: TOTAL }, (_, index) => anImage({ id: `image-${index}` }));
const REACH = 12;

/** A project of sixty images, served as the server serves them. */
function serveImages(): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    const { searchParams } = new URL(request.url);
    asked.push(searchParams.get("around") ?? searchParams.get("cursor") ?? "");
    const at = ALL.findIndex(({ id }) => id === searchParams.get("around"));
    const [from, to] = at < 0 ? [Number(searchParams.get("cursor")), Number(searchParams.get("cursor")) + 20] : [Math.max(0, at - REACH), at + REACH + 1];
    const body = { results: ALL.slice(from, to), next: to < TOTAL ? String(to) : null, total: TOTAL };
    return Promise.resolve(new Response(JSON.stringify(body), { status: 200, headers: { "Content-Type": "application/json" } }));
  });
  return asked;
}

function open(imageId: string) {
  const client = createQueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
  return renderHook(() => useNeighbours("project-1", imageId), { wrapper }).result;
}

const numbers = (images: readonly { id: string }[]): number[] => images.map(({ id }) => Number(id.slice("image-".length)));

test("it goes on to both ends of the project, each image once and in order", async () => {
  const asked = serveImages();
  const strip = open("image-30");
  await waitFor(() => expect(numbers(strip.current.images)).toEqual(ALL.slice(18, 43).map((_, index) => index + 18)));
  for (const [direction, end] of [[1, TOTAL - 1], [-1, 0]] as const) {
    while (!numbers(strip.current.images).includes(end)) {
      const known = strip.current.images.length;
      strip.current.more(direction);
      await waitFor(() => expect(strip.current.images.length).toBeGreaterThan(known));
    }
  }
  expect(numbers(strip.current.images)).toEqual(ALL.map((_, index) => index));
  const requests = asked.length;
  strip.current.more(-1);
  strip.current.more(1);
  expect(asked).toHaveLength(requests);
});

test("at the first image nothing is asked for before it", async () => {
  const asked = serveImages();
  const strip = open("image-0");
  await waitFor(() => expect(strip.current.settled).toBe(true));
  strip.current.more(-1);
  expect(asked).toEqual(["image-0"]);
});
