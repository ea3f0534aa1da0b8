import { SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Link } from "wouter";

import { imagePage } from "../../api/images";
import type { Image, ImageStatus } from "../../api/types";
import type { ImageSession } from "../../session/imageSession";
import { canOpen } from "../images/openable";
import { StatusChip, statusWords } from "../images/StatusChip";
import { keys } from "../queries";
import { usePreference } from "../session/usePreference";
import styles from "./filmstrip.module.css";
import { useValue } from "./useValue";

interface Frame {
  readonly id: string;
  readonly name: string;
  readonly status: ImageStatus;
  readonly progress: number | null;
  readonly thumbnail: string | null;
  readonly outlines: string | null;
  /** Why it comes, where that is known. */
  readonly reason: string | null;
  readonly opens: boolean;
}

const frameOf = (image: Image): Frame => ({
  id: image.id,
  name: image.name,
  status: image.status,
  progress: image.progress,
  thumbnail: image.thumbnail_url,
  outlines: image.outlines_url,
  reason: image.skip ? `Skipped: ${image.skip.reason}` : null,
  opens: canOpen(image),
});

function Thumbnail({ frame, current }: { frame: Frame; current: boolean }) {
  const words = `${frame.name}, ${statusWords(frame)}${frame.reason ? `. ${frame.reason}` : ""}`;
  const picture = (
    <>
      {frame.thumbnail && <img src={frame.thumbnail} alt="" loading="lazy" decoding="async" />}
      {frame.outlines && <img src={frame.outlines} alt="" loading="lazy" decoding="async" />}
      <StatusChip image={frame} />
    </>
  );
  return (
    <li data-testid="film" data-name={frame.name} data-status={frame.status}>
      {frame.opens ? (
        <Link href={`/images/${frame.id}`} className={styles.frame} aria-current={current ? "page" : undefined} aria-label={words} title={words}>
          {picture}
        </Link>
      ) : (
        <span className={styles.frame} data-closed title={words}>
          {picture}
        </span>
      )}
    </li>
  );
}

/** The images around this one, in the order in which they were added. */
function useNeighbours(session: ImageSession): Frame[] {
  const { id, project } = session.opened.image;
  const pages = useInfiniteQuery({
    queryKey: keys.filmstrip(project, id),
    queryFn: ({ pageParam }) => imagePage(project, pageParam === "" ? { around: id } : { cursor: pageParam, order: "created" }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    placeholderData: (before) => before,
  });
  return pages.data?.pages.flatMap((page) => page.results).map(frameOf) ?? [];
}

function useUpcoming(session: ImageSession): Frame[] {
  const upcoming = useValue(session.queue.upcoming);
  return upcoming.map(({ image, reason }) => ({
    id: image.id,
    name: image.name,
    status: image.status,
    progress: null,
    thumbnail: image.thumbnail_url,
    outlines: image.outlines_url,
    reason: reason.detail,
    opens: true,
  }));
}

type Order = "queue" | "project";

const ORDERS: { value: Order; label: string }[] = [
  { value: "queue", label: "Up next" },
  { value: "project", label: "In order" },
];

/** The images before and after this one with their states, or what the queue brings next and why. */
export function Filmstrip({ session }: { session: ImageSession }) {
  const [order, setOrder] = usePreference<Order>("ui.filmstrip.order", "queue");
  const neighbours = useNeighbours(session);
  const upcoming = useUpcoming(session);
  const list = useRef<HTMLUListElement>(null);
  const { id } = session.opened.image;
  const frames = order === "queue" ? upcoming : neighbours;
  const count = frames.length;

  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [id, order, count]);

  const [next] = upcoming;
  return (
    <section className={styles.strip} aria-label="Filmstrip" data-testid="filmstrip">
      <header>
        <SegmentedControl size="xs" aria-label="Order of the filmstrip" data={ORDERS} value={order} onChange={(value) => setOrder(value)} />
        <p className="ellipsis" data-testid="next-reason">
          {next ? (
            <>
              Next: <b>{next.name}</b>. {next.reason}
            </>
          ) : (
            "Nothing is left in the queue."
          )}
        </p>
      </header>
      <ul ref={list} tabIndex={0} aria-label={order === "queue" ? "Images that come next" : "Images of the project"}>
        {frames.map((frame) => (
          <Thumbnail key={frame.id} frame={frame} current={frame.id === id} />
        ))}
      </ul>
    </section>
  );
}
