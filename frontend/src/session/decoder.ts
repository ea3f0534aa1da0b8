import { ApiError, OfflineError } from "../api/errors";
import type { DecodedMask, Model, Prompt } from "../tools/tool";
import { postDecode } from "./requests";
import { type Readable, createValue } from "./value";

export interface ModelState {
  readonly inFlight: number;
  /** A box has been waiting for more than a second. */
  readonly slow: boolean;
  readonly lastMs: number | null;
}

export interface Decoder extends Model {
  readonly state: Readable<ModelState>;
}

const SLOW_MS = 1000;
const MOST_TRIES = 8;

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function wordsFor(error: unknown): string {
  if (error instanceof OfflineError) return "The server cannot be reached, so no mask came back. Brush and erase still work.";
  if (error instanceof ApiError && error.code === "features_not_ready") return "The model has not read this image yet. Draw the box again in a moment.";
  if (error instanceof ApiError && error.status === 503) return "The model did not answer in time. Draw the box again, or use the brush.";
  return error instanceof Error ? `No mask came back. ${error.message}` : "No mask came back. Draw the box again.";
}

/** Asks the model for masks; waits as long as the server says when it is busy. */
export function createDecoder(imageId: string, takesPoints: () => boolean): Decoder {
  const state = createValue<ModelState>({ inFlight: 0, slow: false, lastMs: null });
  const update = (change: Partial<ModelState>): void => state.set({ ...state.get(), ...change });

  const attempt = async (prompt: Prompt, signal: AbortSignal, onWait: (words: string) => void): Promise<DecodedMask> => {
    for (let tries = 1; ; tries++) {
      try {
        const started = performance.now();
        const answer = await postDecode(imageId, prompt, signal);
        update({ lastMs: Math.round(performance.now() - started) });
        return answer;
      } catch (error) {
        const busy = error instanceof ApiError && error.status === 503;
        if (signal.aborted || !busy || tries === MOST_TRIES) throw error;
        onWait(error.code === "features_not_ready" ? "Model reads the image" : "Model is busy");
        await wait((error.retryAfter ?? 1) * 1000, signal);
        if (signal.aborted) throw error;
      }
    }
  };

  return {
    state,
    get takesPoints() {
      return takesPoints();
    },
    async decode(prompt, signal, onWait) {
      update({ inFlight: state.get().inFlight + 1 });
      const timer = setTimeout(() => update({ slow: true }), SLOW_MS);
      try {
        return await attempt(prompt, signal, onWait);
      } catch (error) {
        throw new Error(wordsFor(error), { cause: error });
      } finally {
        clearTimeout(timer);
        const inFlight = state.get().inFlight - 1;
        update({ inFlight, slow: inFlight > 0 && state.get().slow });
      }
    },
  };
}
