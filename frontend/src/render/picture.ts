import { type Box, boxIntersect } from "../document/box";
import type { Size } from "./camera";
import { uncovered, withDamage } from "./damage";
import { GraphicsError } from "./gl";
import type { Placement } from "./placement";

/**
 * The drawn picture, kept from frame to frame: only what is damaged is drawn again, and a pan moves the rest. So a frame
 * costs what changed in it, on any machine.
 */
export interface Picture {
  resize(size: Size): void;
  damage(part: Box): void;
  damageAll(): void;
  /**
   * Shows another place: a shift of the picture if the scale is the same, else all of it is damaged. Where drawing all of it
   * takes long, what is there is stretched instead, to be damaged once the hand rests; then the answer is how long drawing
   * all of it takes, in milliseconds, and 0 otherwise.
   */
  moveTo(placement: Placement): number;
  /** Draws what is damaged, part by part, and puts the whole on the canvas. */
  present(paint: (part: Box) => void): void;
}

/** Drawing that takes longer than this, in milliseconds, would make a zoom stutter. */
const SLOW_MS = 40;
const POLL_MS = 5;

interface Surface {
  readonly frame: WebGLFramebuffer;
  readonly texture: WebGLTexture;
}

export function createPicture(gl: WebGL2RenderingContext): Picture {
  let size: Size = { width: 1, height: 1 };
  let front: Surface | null = null;
  let back: Surface | null = null;
  let damaged: Box[] = [];
  let shown: Placement | null = null;
  let wholeTook = 0;

  const createSurface = (): Surface => {
    const [frame, texture] = [gl.createFramebuffer(), gl.createTexture()];
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, size.width, size.height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    const complete = gl.checkFramebufferStatus(gl.FRAMEBUFFER) === gl.FRAMEBUFFER_COMPLETE;
    if (!complete && !gl.isContextLost()) throw new GraphicsError("no picture of this size can be kept");
    return { frame, texture };
  };
  const dropSurface = (surface: Surface | null): void => {
    if (!surface) return;
    gl.deleteFramebuffer(surface.frame);
    gl.deleteTexture(surface.texture);
  };
  /** Copies `part` of one surface to the other (null: the canvas), moved by (dx, dy); y counts down. */
  const copy = (from: Surface, to: Surface | null, part: Box, dx: number, dy: number): void => {
    const [top, bottom] = [size.height - part[1], size.height - part[3]];
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, from.frame);
    gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, to?.frame ?? null);
    gl.blitFramebuffer(part[0], bottom, part[2], top, part[0] + dx, bottom - dy, part[2] + dx, top - dy, gl.COLOR_BUFFER_BIT, gl.NEAREST);
  };
  const whole = (): Box => [0, 0, size.width, size.height];
  const damage = (part: Box): void => {
    damaged = withDamage(damaged, boxIntersect(part, whole()));
  };
  const damageAll = (): void => {
    damaged = [whole()];
  };

  /** The content moves by (dx, dy) device pixels; damage that waits moves with it. */
  const shift = (dx: number, dy: number): void => {
    if (dx === 0 && dy === 0) return;
    if (!front || Math.abs(dx) >= size.width || Math.abs(dy) >= size.height) {
      damageAll();
      return;
    }
    back ??= createSurface();
    const stays = boxIntersect(whole(), [-dx, -dy, size.width - dx, size.height - dy]);
    copy(front, back, stays, dx, dy);
    [front, back] = [back, front];
    const waiting = damaged;
    damaged = uncovered(size, dx, dy);
    for (const [x0, y0, x1, y1] of waiting) damage([x0 + dx, y0 + dy, x1 + dx, y1 + dy]);
  };

  const stretch = (from: Placement, to: Placement): void => {
    if (!front) return;
    back ??= createSurface();
    gl.bindFramebuffer(gl.FRAMEBUFFER, back.frame);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const factor = to.scale / from.scale;
    const column = (x: number): number => Math.round((x + from.left) * factor - to.left);
    const row = (y: number): number => size.height - Math.round((y + from.top) * factor - to.top);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, front.frame);
    gl.blitFramebuffer(0, 0, size.width, size.height, column(0), row(size.height), column(size.width), row(0), gl.COLOR_BUFFER_BIT, gl.LINEAR);
    [front, back] = [back, front];
  };

  /** Learns how long the graphics take for what was just asked of them. */
  const clock = (started: number): void => {
    const done = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    if (!done) return;
    gl.flush();
    const look = (): void => {
      if (gl.isContextLost()) return;
      if (gl.getSyncParameter(done, gl.SYNC_STATUS) !== gl.SIGNALED) {
        setTimeout(look, POLL_MS);
        return;
      }
      wholeTook = performance.now() - started;
      gl.deleteSync(done);
    };
    setTimeout(look, POLL_MS);
  };

  return {
    resize(next) {
      dropSurface(front);
      dropSurface(back);
      [front, back, size] = [null, null, next];
      damageAll();
    },
    damage,
    damageAll,
    moveTo(next) {
      const last = shown;
      shown = next;
      if (last?.scale === next.scale) shift(last.left - next.left, last.top - next.top);
      else if (!last || !front || wholeTook < SLOW_MS) damageAll();
      else {
        stretch(last, next);
        return wholeTook;
      }
      return 0;
    },
    present(paint) {
      const started = performance.now();
      const everything = damaged.some((part) => part[2] - part[0] === size.width && part[3] - part[1] === size.height);
      front ??= createSurface();
      gl.bindFramebuffer(gl.FRAMEBUFFER, front.frame);
      gl.viewport(0, 0, size.width, size.height);
      gl.enable(gl.SCISSOR_TEST);
      for (const part of damaged) {
        gl.scissor(part[0], size.height - part[3], part[2] - part[0], part[3] - part[1]);
        paint(part);
      }
      gl.disable(gl.SCISSOR_TEST);
      damaged = [];
      copy(front, null, whole(), 0, 0);
      if (everything) clock(started);
    },
  };
}
