/** A project's event stream that comes back by itself, also where the browser would not open it again. */

interface Listener {
  /** What is done with a message, by its type. */
  readonly messages: Readonly<Record<string, (text: string) => void>>;
  /** True once the stream is open, false while it is down and being reopened. */
  readonly onConnection?: (open: boolean) => void;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

export function retryDelay(failures: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1));
}

/** Returns the function that closes the stream. */
export function openStream(projectId: string, { messages, onConnection }: Listener): () => void {
  if (typeof EventSource === "undefined") return () => undefined;
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  function open() {
    const stream = new EventSource(`/api/projects/${encodeURIComponent(projectId)}/events`);
    source = stream;
    stream.onopen = () => {
      failures = 0;
      onConnection?.(true);
    };
    stream.onerror = () => {
      onConnection?.(false);
      // CONNECTING: the browser retries by itself. CLOSED (an error status, a dead proxy): it never would.
      if (stream.readyState !== EventSource.CLOSED) return;
      failures += 1;
      timer = setTimeout(open, retryDelay(failures));
    };
    for (const [type, take] of Object.entries(messages)) stream.addEventListener(type, ({ data }: MessageEvent<string>) => take(data));
  }

  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
