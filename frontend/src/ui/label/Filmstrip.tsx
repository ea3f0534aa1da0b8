import { SegmentedControl } from "@mantine/core";
import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";
import { Link } from "wouter";

import type { Image, ImageStatus } from "../../api/types";
import type { ImageSession } from "../../session/imageSession";
import { canOpen } from "../images/openable";
import { StatusChip, statusWords } from "../images/StatusChip";
import { usePreference } from "../session/usePreference";
import styles from "./filmstrip.module.css";
import { useImageNews } from "./useImageNews";
import { useNeighbours } from "./useNeighbours";
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
    <li data-testid="film" data-id={frame.id} data-name={frame.name} data-status={frame.status}>
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

/** More is asked for while this much or less, in screen pixels, is left to scroll. */
const NEARLY = 600;

/** The scrolled list: it begins at `current`, keeps its place when frames come in before, and asks for more at either end. */
function useStrip(frames: readonly Frame[], current: string, begin: string, more: (direction: 1 | -1) => void): RefObject<HTMLUListElement | null> {
  const list = useRef<HTMLUListElement>(null);
  const was = useRef<{ begin: string; first: string; offset: number } | null>(null);
  const first = frames[0]?.id;

  useLayoutEffect(() => {
    const element = list.current;
    if (!element || first === undefined) return;
    const offsetOf = (id: string): number => element.querySelector<HTMLElement>(`[data-id="${id}"]`)?.offsetLeft ?? 0;
    if (was.current?.begin !== begin) {
      const frame = element.querySelector<HTMLElement>(`[data-id="${current}"]`);
      if (frame) element.scrollLeft = frame.offsetLeft - (element.clientWidth - frame.offsetWidth) / 2;
    } else if (was.current.first !== first) element.scrollLeft += offsetOf(was.current.first) - was.current.offset;
    was.current = { begin, first, offset: offsetOf(first) };
  }, [first, current, begin]);

  useEffect(() => {
    const element = list.current;
    if (!element || first === undefined) return;
    const look = (): void => {
      if (element.scrollLeft < NEARLY) more(-1);
      if (element.scrollWidth - element.scrollLeft - element.clientWidth < NEARLY) more(1);
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  });
  return list;
}

/** The images before and after this one with their states, or what the queue brings next and why. */
export function Filmstrip({ session }: { session: ImageSession }) {
  const [order, setOrder] = usePreference<Order>("ui.filmstrip.order", "queue");
  const { id, project } = session.opened.image;
  useImageNews(session);
  const neighbours = useNeighbours(project, id);
  const upcoming = useUpcoming(session);
  const inOrder = order === "project";
  const frames = inOrder ? neighbours.images.map(frameOf) : upcoming;
  const list = useStrip(frames, id, `${order} ${id} ${neighbours.settled}`, inOrder ? neighbours.more : () => undefined);

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
      <ul ref={list} tabIndex={0} aria-label={inOrder ? "Images of the project" : "Images that come next"}>
        {frames.map((frame) => (
          <Thumbnail key={frame.id} frame={frame} current={frame.id === id} />
        ))}
      </ul>
    </section>
  );
}
