import type { ImageSession } from "../../session/imageSession";

interface Exposed {
  /** The image that is shown, which after a change of address is for a moment the one before. */
  readonly image: string;
  readonly revision: number;
  readonly cellCount: number;
  readonly pending: number;
  /** Page pixels of an image point. */
  imageToScreen(x: number, y: number): { x: number; y: number };
}

declare global {
  interface Window {
    __cellloop?: Exposed;
  }
}

/** What browser tests read, and nothing that they could change. */
export function exposeForTests(session: ImageSession): () => void {
  const exposed: Exposed = {
    image: session.opened.image.id,
    get revision() {
      return session.autosave.revision;
    },
    get cellCount() {
      return session.document.size;
    },
    get pending() {
      return session.autosave.state.get().waiting;
    },
    imageToScreen(x, y) {
      const frame = document.querySelector("[data-testid=canvas]")?.getBoundingClientRect();
      const at = session.view.toScreen(x, y);
      return { x: at.x + (frame?.left ?? 0), y: at.y + (frame?.top ?? 0) };
    },
  };
  window.__cellloop = Object.freeze(exposed);
  return () => {
    delete window.__cellloop;
  };
}
