/** Live events folded into what the page already shows. Pure: the hook beside it owns the cache. */
import type { ImageEvent, JobEvent } from "../../api/events";
import type { Image, ImagePage, JobRef, Project, ProjectCounts, ProjectModel } from "../../api/types";

export interface ImagePages {
  pages: ImagePage[];
  pageParams: unknown[];
}

function merged(image: Image, event: ImageEvent): Image {
  const status = event.status === undefined || event.status === "deleted" ? image.status : event.status;
  const next = { ...image, ...event, status };
  // A finished step carries no progress; the message's last value would freeze the sweep half way.
  if (next.status !== "segmenting" && next.status !== "ingesting" && event.progress === undefined) next.progress = null;
  return next;
}

/** An older event than what is shown (a refetch won the race) must not take the image back. */
function isStale(image: Image, event: ImageEvent): boolean {
  return event.revision !== undefined && event.revision < image.revision;
}

/** The same object when nothing in it is concerned, so that nothing is drawn again. */
export function mergeImage(pages: ImagePages | undefined, event: ImageEvent): ImagePages | undefined {
  if (pages === undefined) return undefined;
  let found = false;
  const next = pages.pages.map((page) => {
    const index = page.results.findIndex((image) => image.id === event.id);
    if (index < 0 || isStale(page.results[index], event)) return page;
    found = true;
    return { ...page, results: page.results.map((image, at) => (at === index ? merged(image, event) : image)) };
  });
  return found ? { ...pages, pages: next } : pages;
}

export function findImage(pages: ImagePages | undefined, id: string): Image | undefined {
  for (const page of pages?.pages ?? []) {
    const image = page.results.find((candidate) => candidate.id === id);
    if (image) return image;
  }
  return undefined;
}

export function removeImage(pages: ImagePages | undefined, id: string): ImagePages | undefined {
  if (pages === undefined || findImage(pages, id) === undefined) return pages;
  return {
    ...pages,
    pages: pages.pages.map((page) => {
      const results = page.results.filter((image) => image.id !== id);
      return { ...page, results, total: page.total - 1 };
    }),
  };
}

export function mergeCounts(project: Project | undefined, counts: ProjectCounts | null): Project | undefined {
  if (project === undefined || counts === null) return project;
  return { ...project, counts: { ...project.counts, ...counts } };
}

/** The progress of the run that is on. A job that has ended gives the same object: the run's figures must be asked for. */
export function mergeJob(model: ProjectModel | undefined, job: JobEvent): ProjectModel | undefined {
  const run = model?.run;
  if (!model || !run || run.job.id !== job.id || !isOpenJob(job)) return model;
  return { ...model, run: { ...run, job: { ...run.job, ...job } } };
}

function isOpenJob(job: Pick<JobRef, "status">): boolean {
  return job.status === "queued" || job.status === "running";
}
