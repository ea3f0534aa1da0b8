import { Button } from "@mantine/core";
import { useIntersection } from "@mantine/hooks";
import { useEffect, useMemo, type KeyboardEvent } from "react";

import type { ImageOrder } from "../../api/images";
import type { Project } from "../../api/types";
import { canEdit } from "../people/roles";
import { Failure } from "../states/Failure";
import { Loading } from "../states/Loading";
import { Notice } from "../states/Notice";
import type { Filter } from "./filters";
import { ImageCard } from "./ImageCard";
import styles from "./images.module.css";
import { useImages } from "./useImages";

interface Props {
  project: Project;
  filter: Filter;
  order: ImageOrder;
}

const STEPS: Record<string, (columns: number) => number> = {
  ArrowRight: () => 1,
  ArrowLeft: () => -1,
  ArrowDown: (columns) => columns,
  ArrowUp: (columns) => -columns,
};

/** Arrow keys walk the grid from picture to picture. */
function walk(event: KeyboardEvent<HTMLUListElement>) {
  const step = STEPS[event.key];
  if (!step || !(event.target instanceof HTMLAnchorElement)) return;
  const columns = getComputedStyle(event.currentTarget).gridTemplateColumns.split(" ").length;
  const links = Array.from(event.currentTarget.querySelectorAll<HTMLAnchorElement>("a[href]"));
  const next = links[links.indexOf(event.target) + step(columns)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

export function ImageGrid({ project, filter, order }: Props) {
  const images = useImages(project.id, filter.status, order);
  const { ref, entry } = useIntersection({ rootMargin: "600px" });
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = images;
  const isNear = Boolean(entry?.isIntersecting);
  useEffect(() => {
    if (isNear && hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [isNear, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  // A page that is fetched again may hold an image that has moved from the next one.
  const shown = useMemo(() => {
    const all = images.data?.pages.flatMap((page) => page.results) ?? [];
    return [...new Map(all.map((image) => [image.id, image])).values()];
  }, [images.data]);

  if (images.isPending) return <Loading what="images" />;
  if (images.isError && shown.length === 0) return <Failure error={images.error} what="the images" retry={() => void images.refetch()} />;
  if (shown.length === 0) {
    const isAll = filter.status === "";
    return <Notice title={filter.none} detail={isAll ? "Each appears here once it is uploaded." : "Choose another filter above."} />;
  }
  const mayEdit = canEdit(project.role);
  return (
    <>
      <ul className={styles.grid} aria-label="Images" onKeyDown={walk}>
        {shown.map((image) => (
          <ImageCard key={image.id} image={image} canEdit={mayEdit} />
        ))}
      </ul>
      <div ref={ref} className={styles.more}>
        {isFetchNextPageError ? (
          <Button variant="default" onClick={() => void fetchNextPage()}>
            Load more images
          </Button>
        ) : (
          isFetchingNextPage && "Loading more images"
        )}
      </div>
    </>
  );
}
