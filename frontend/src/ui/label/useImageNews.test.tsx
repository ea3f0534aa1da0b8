import { act, renderHook, waitFor } from "@testing-library/react";
import { QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";

import type { ImageSession } from "../../session/imageSession";
import type { ImageNews } from "../../session/live";
import { createValue } from "../../session/value";
import { createQueryClient } from "../queries";
import { anImage, aPage } from "../sample_data";
import { stubServer } from "../testing_page";
import { useImageNews } from "./useImageNews";
import { useNeighbours } from "./useNeighbours";

afterEach(() => void vi.unstubAllGlobals());

/** The filmstrip's images in their order, beside a session that hears the project's stream. */
async function open() {
  const sent = stubServer({ "GET /api/projects/project-1/images": () => [200, aPage([anImage({ id: "a" }), anImage({ id: "b", status: "segmenting", progress: 0.2 })])] });
  const news = createValue<ImageNews>({ event: null });
  const session = { news, opened: { image: { project: "project-1" } } } as unknown as ImageSession;
  const client = createQueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>;
  const shown = renderHook(
    () => {
      useImageNews(session);
      return useNeighbours("project-1", "a").images;
    },
    { wrapper },
  ).result;
  await waitFor(() => expect(shown.current).toHaveLength(2));
  return { sent, shown, news };
}

test("a thumbnail follows its image while another one is open", async () => {
  const { shown, news, sent } = await open();
  act(() => news.set({ event: { id: "b", status: "segmenting", progress: 0.7 } }));
  await waitFor(() => expect(shown.current[1]).toMatchObject({ id: "b", progress: 0.7 }));
  act(() => news.set({ event: { id: "b", status: "submitted", revision: 4, outlines_url: "/b.svg" } }));
  await waitFor(() => expect(shown.current[1]).toMatchObject({ status: "submitted", outlines_url: "/b.svg", progress: null }));
  act(() => news.set({ event: { id: "a", status: "deleted" } }));
  await waitFor(() => expect(shown.current.map(({ id }) => id)).toEqual(["b"]));
  expect(sent).toHaveLength(1);
});

test("after the stream was down the thumbnails are asked for again", async () => {
  const { news, sent } = await open();
  act(() => news.set({ event: null }));
  await waitFor(() => expect(sent).toHaveLength(2));
});
