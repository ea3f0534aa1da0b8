import type { PointerInput, Tool } from "../tools/tool";
import type { View } from "./view";

/** A gesture that rests this long may look ahead (see Tool.rest). */
const REST_MS = 140;
const DOUBLE_CLICK_MS = 350;
/** Less than a wheel's notch in every browser. */
const NOTCH_PX = 40;

export interface GestureParts {
  readonly view: View;
  /** Shift and the wheel: one frame on (1) or back (-1). */
  stepFrame(direction: 1 | -1): void;
  /** The tool in the hand: pan while Space or the middle button is held. */
  activeTool(): Tool;
  panTool(): Tool;
  /** Whether the active tool would change cells on an image that may not be changed. */
  blocked(): boolean;
  /** The brush that the active tool shows at the pointer, if any. */
  brushAt(alt: boolean): { radius: number; subtracts: boolean } | null;
}

/** Turns pointer and wheel events of `area` into tool calls. One gesture at a time; the pointer is captured during it. */
export function listenForGestures(area: HTMLElement, parts: GestureParts): () => void {
  const { view } = parts;
  let tool: Tool | null = null;
  /** The gesture was begun with the right button. */
  let subtracting = false;
  let scrubbed = 0;
  let rest: ReturnType<typeof setTimeout> | undefined;
  let lastPress = { time: 0, x: 0, y: 0 };
  let pinch: Map<number, { x: number; y: number }> = new Map();

  const screenOf = (event: MouseEvent): { x: number; y: number } => {
    const frame = area.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  };
  const inputOf = (event: PointerEvent, clicks = 1): PointerInput => {
    const screen = screenOf(event);
    const { x, y } = view.toImage(screen);
    const { shiftKey: shift } = event;
    const { zoom } = view.camera.get();
    return { x, y, screenX: screen.x, screenY: screen.y, zoom, shift, alt: event.altKey || subtracting, mod: event.ctrlKey || event.metaKey, clicks };
  };
  const show = (event: PointerEvent): void => {
    view.point(screenOf(event), parts.brushAt(event.altKey || subtracting), tool?.dragging ?? false);
    area.style.cursor = (tool ?? parts.activeTool()).cursor;
  };
  const clicksAt = (event: PointerEvent): number => {
    const near = Math.hypot(event.clientX - lastPress.x, event.clientY - lastPress.y) < 6;
    const again = near && event.timeStamp - lastPress.time < DOUBLE_CLICK_MS;
    lastPress = { time: again ? 0 : event.timeStamp, x: event.clientX, y: event.clientY };
    return again ? 2 : 1;
  };

  const onDown = (event: PointerEvent): void => {
    if (event.pointerType === "touch") {
      pinch.set(event.pointerId, screenOf(event));
      if (pinch.size === 2) {
        tool?.cancel();
        tool = null;
        return;
      }
    }
    if (tool || event.button > 2) return;
    const chosen = event.button === 1 ? parts.panTool() : parts.activeTool();
    if (event.button === 2 && !chosen.subtracts) return;
    event.preventDefault();
    area.focus({ preventScroll: true });
    if (chosen !== parts.panTool() && parts.blocked()) return;
    subtracting = event.button === 2;
    tool = chosen;
    area.setPointerCapture(event.pointerId);
    tool.down(inputOf(event, clicksAt(event)));
    show(event);
  };
  const onPinch = (event: PointerEvent): void => {
    const [a, b] = [...pinch.values()];
    const before = Math.hypot(a.x - b.x, a.y - b.y);
    const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    pinch.set(event.pointerId, screenOf(event));
    const [c, d] = [...pinch.values()];
    const now = { x: (c.x + d.x) / 2, y: (c.y + d.y) / 2 };
    view.panBy(now.x - middle.x, now.y - middle.y);
    if (before > 0) view.zoomBy(Math.hypot(c.x - d.x, c.y - d.y) / before, now);
  };
  const onMove = (event: PointerEvent): void => {
    if (pinch.size === 2 && pinch.has(event.pointerId)) {
      onPinch(event);
      return;
    }
    const current = tool;
    if (current) {
      // Coalesced events keep a fast brush stroke round.
      const steps = event.getCoalescedEvents?.() ?? [];
      for (const step of steps.length > 0 ? steps : [event]) current.move(inputOf(step));
      clearTimeout(rest);
      rest = setTimeout(() => current.rest?.(), REST_MS);
    } else {
      parts.activeTool().move(inputOf(event));
    }
    show(event);
  };
  const onUp = (event: PointerEvent): void => {
    pinch = new Map([...pinch].filter(([id]) => id !== event.pointerId));
    if (!tool || event.button > 2) return;
    clearTimeout(rest);
    const done = tool;
    tool = null;
    done.up(inputOf(event));
    subtracting = false;
    show(event);
  };
  const onCancel = (event: PointerEvent): void => {
    pinch.delete(event.pointerId);
    clearTimeout(rest);
    tool?.cancel();
    tool = null;
    subtracting = false;
  };
  const onLeave = (): void => {
    if (!tool) view.point(null, null, false);
  };
  /** A trackpad sends many small steps: a frame goes by only when they add up to a notch of a wheel. */
  const scrub = (pixels: number): void => {
    scrubbed += pixels;
    if (Math.abs(scrubbed) < NOTCH_PX) return;
    parts.stepFrame(scrubbed > 0 ? 1 : -1);
    scrubbed = 0;
  };
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    // Browsers turn the wheel sideways while Shift is held.
    const delta = event.deltaY || (event.shiftKey ? event.deltaX : 0);
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? delta * 16 : delta;
    if (event.shiftKey && !event.ctrlKey) {
      scrub(pixels);
      return;
    }
    // A pinch on a trackpad arrives as a wheel with Ctrl and small steps.
    view.zoomBy(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0016)), screenOf(event));
  };
  const onMenu = (event: Event): void => event.preventDefault();

  const listeners: [string, (event: never) => void, AddEventListenerOptions?][] = [
    ["pointerdown", onDown],
    ["pointermove", onMove],
    ["pointerup", onUp],
    ["pointercancel", onCancel],
    ["pointerleave", onLeave],
    ["wheel", onWheel, { passive: false }],
    ["contextmenu", onMenu],
  ];
  for (const [type, listener, options] of listeners) area.addEventListener(type, listener as EventListener, options);
  return () => {
    clearTimeout(rest);
    for (const [type, listener] of listeners) area.removeEventListener(type, listener as EventListener);
  };
}
