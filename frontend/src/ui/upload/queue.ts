/** The upload queue: one request per file, a few in parallel; one bad file never stops the rest. No React, no network. */
export type UploadState = "waiting" | "sending" | "added" | "failed";

export interface UploadItem {
  readonly id: number;
  readonly file: File;
  readonly name: string;
  readonly size: number;
  readonly state: UploadState;
  /** Share of the bytes that has left, 0 to 1. */
  readonly sent: number;
  readonly error: string;
  /** The image that the server made of the file, once it did. */
  readonly imageId: string | null;
}

export interface SendOptions {
  onProgress: (fraction: number) => void;
  signal: AbortSignal;
  /** Set on a second try of a file whose first image the server could not read. */
  replaces: string | null;
}

export interface UploadQueueOptions {
  send: (file: File, options: SendOptions) => Promise<{ id: string }>;
  /** The reason in one sentence. */
  describe: (error: unknown) => string;
  parallel?: number;
}

export interface UploadQueue {
  items: () => readonly UploadItem[];
  subscribe: (listener: () => void) => () => void;
  add: (files: readonly File[]) => void;
  retry: (id: number) => void;
  /** Takes an item off the list; stops it first if it is on its way. */
  dismiss: (id: number) => void;
  clearAdded: () => void;
  /** The server took the file but could not read it: the reason comes later, by the image's id. */
  reject: (imageId: string, reason: string) => void;
}

/** A reason without the file's name in front, where the server has put it there: the list shows the name anyway. */
export function reasonFor(name: string, message: string): string {
  return message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;
}

export function createUploadQueue({ send, describe, parallel = 4 }: UploadQueueOptions): UploadQueue {
  let items: readonly UploadItem[] = [];
  let lastId = 0;
  const listeners = new Set<() => void>();
  const running = new Map<number, AbortController>();
  /** Reasons that came before the answer that names the image: events and answers race. */
  const early = new Map<string, string>();

  function publish(next: readonly UploadItem[]) {
    items = next;
    for (const listener of listeners) listener();
  }

  function patch(id: number, change: Partial<UploadItem>) {
    publish(items.map((item) => (item.id === id ? { ...item, ...change } : item)));
  }

  async function run(item: UploadItem) {
    const controller = new AbortController();
    running.set(item.id, controller);
    patch(item.id, { state: "sending", sent: 0, error: "" });
    try {
      const image = await send(item.file, {
        onProgress: (fraction) => patch(item.id, { sent: Math.min(1, fraction) }),
        signal: controller.signal,
        replaces: item.imageId,
      });
      patch(item.id, { state: "added", sent: 1, imageId: image.id });
      const reason = early.get(image.id);
      if (reason !== undefined) patch(item.id, { state: "failed", error: reasonFor(item.name, reason) });
      early.delete(image.id);
    } catch (error) {
      // A dismissed item is off the list already, so this patch finds nothing to change.
      patch(item.id, { state: "failed", error: reasonFor(item.name, describe(error)) });
    } finally {
      running.delete(item.id);
      pump();
    }
  }

  function pump() {
    for (const item of items) {
      if (running.size >= parallel) return;
      if (item.state === "waiting" && !running.has(item.id)) void run(item);
    }
  }

  return {
    items: () => items,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    add(files) {
      const added = files.map((file): UploadItem => {
        lastId += 1;
        return { id: lastId, file, name: file.name, size: file.size, state: "waiting", sent: 0, error: "", imageId: null };
      });
      publish([...items, ...added]);
      pump();
    },
    retry(id) {
      const item = items.find((candidate) => candidate.id === id);
      if (item?.state !== "failed") return;
      patch(id, { state: "waiting", sent: 0, error: "" });
      pump();
    },
    dismiss(id) {
      publish(items.filter((item) => item.id !== id));
      running.get(id)?.abort();
    },
    clearAdded() {
      publish(items.filter((item) => item.state !== "added"));
    },
    reject(imageId, reason) {
      const item = items.find((candidate) => candidate.imageId === imageId && candidate.state === "added");
      if (item) patch(item.id, { state: "failed", error: reasonFor(item.name, reason) });
      else if (running.size > 0) early.set(imageId, reason);
    },
  };
}

export interface UploadSummary {
  total: number;
  done: number;
  added: number;
  failed: number;
  open: number;
  /** Share of all bytes sent, failed files left out. */
  sent: number;
}

export function summarize(items: readonly UploadItem[]): UploadSummary {
  const added = items.filter((item) => item.state === "added").length;
  const failed = items.filter((item) => item.state === "failed").length;
  const moving = items.filter((item) => item.state !== "failed");
  const size = moving.reduce((sum, item) => sum + item.size, 0);
  const sent = moving.reduce((sum, item) => sum + item.size * item.sent, 0);
  return { total: items.length, done: added + failed, added, failed, open: items.length - added - failed, sent: size > 0 ? sent / size : 0 };
}
