/** What the server tells while the page is open, as far as the labelling page listens. */
export interface ImageNews {
  readonly id: string;
  readonly status: string;
  readonly progress: number | null;
  readonly error: string;
  readonly revision: number;
}

function readNews(text: string): ImageNews | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) return null;
  const news = value as Partial<Record<keyof ImageNews, unknown>>;
  if (typeof news.id !== "string" || typeof news.status !== "string" || typeof news.revision !== "number") return null;
  return {
    id: news.id,
    status: news.status,
    progress: typeof news.progress === "number" ? news.progress : null,
    error: typeof news.error === "string" ? news.error : "",
    revision: news.revision,
  };
}

interface Listeners {
  /** (Re)connected: anything may have happened meanwhile. */
  onConnect(): void;
  onImage(news: ImageNews): void;
  /** Another model version may be active now. */
  onModel(): void;
}

/** The browser reconnects by itself; the server sends its state anew each time. */
export function listenToProject(projectId: string, listeners: Listeners): () => void {
  if (typeof EventSource === "undefined") return () => undefined;
  const source = new EventSource(`/api/projects/${projectId}/events`);
  source.addEventListener("state", () => listeners.onConnect());
  source.addEventListener("model", () => listeners.onModel());
  source.addEventListener("image", (event: MessageEvent<string>) => {
    const news = readNews(event.data);
    if (news) listeners.onImage(news);
  });
  return () => source.close();
}
