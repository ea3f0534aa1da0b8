/** The browser's event streams, in the hand of a test. */
import { vi } from "vitest";

export class FakeStream extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  readyState = FakeStream.CONNECTING;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    super();
    streams.push(this);
  }

  open(): void {
    this.readyState = FakeStream.OPEN;
    this.onopen?.();
    this.say("state", {});
  }
  say(type: string, news: unknown): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(news) }));
  }
  /** CONNECTING: the line broke, and the browser tries again. CLOSED: the server answered with an error, and it does not. */
  fail(state: typeof FakeStream.CONNECTING | typeof FakeStream.CLOSED): void {
    this.readyState = state;
    this.onerror?.();
  }
  close(): void {
    this.readyState = FakeStream.CLOSED;
  }
}

let streams: FakeStream[] = [];

/** From now on streams are the test's; returns those that were opened, the newest last. */
export function fakeStreams(): readonly FakeStream[] {
  streams = [];
  vi.stubGlobal("EventSource", FakeStream);
  return streams;
}
