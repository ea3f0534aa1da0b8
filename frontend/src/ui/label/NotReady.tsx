import { Link } from "wouter";

import type { Overview } from "../../session/openImage";
import { percent } from "../format";
import { PlainPage } from "../shell/PlainPage";
import { Notice } from "../states/Notice";

/** An image without pixels to show yet: what it waits for. The page goes on by itself. */
export function NotReady({ overview: { image, project } }: { overview: Overview }) {
  const back = <Link href={`/projects/${project.id}`}>Back to {project.name}</Link>;
  if (image.status === "failed") {
    return (
      <PlainPage>
        <Notice tone="error" title={`${image.name} could not be read`} detail={image.error || "The server gave no reason."}>
          {back}
        </Notice>
      </PlainPage>
    );
  }
  const progress = image.progress === null ? "" : ` ${percent(image.progress)}`;
  const title = image.status === "queued" ? "This image waits to be read" : `This image is being read${progress}`;
  return (
    <PlainPage>
      <Notice title={title} detail={`${image.name} opens here as soon as it is ready.`}>
        {back}
      </Notice>
    </PlainPage>
  );
}
