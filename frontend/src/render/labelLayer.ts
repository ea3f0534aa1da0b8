import { type Box, boxGrow, boxIntersect, boxIsEmpty, boxUnion } from "../document/box";
import type { PreviewLayer } from "../document/preview";
import type { DocumentReader } from "../document/store";
import { type Size, levelFor } from "./camera";
import type { ColorBy } from "./cellTones";
import { TARGET_VERTEX, createIntegerTexture, createProgram } from "./gl";
import { LABEL_FRAGMENT } from "./labelShader";
import { OFF_THE_EDGE, type Placement, tilesIn } from "./placement";
import { REACH, withDistances } from "./slotTexels";
import type { StyleTable } from "./styleTable";

/** Texels a side that a label tile shows, and those around it that the shader interpolates with. */
const CORE = 512;
const APRON = 1;
/** 1 MB each. */
const MOST_TILES = 96;
const LEVELS = 12;
/** Screen pixels a dash and its gap repeat in; the shader's number. */
const DASH = 8;
/** Outlines are at full strength from the first zoom up and fade to half of it at the second. */
const FULL_LINES = 0.25;
const HALF_LINES = 0.05;
const CASING_FROM = 0.6;

export interface LabelLook {
  /** Opacity of a plain cell's fill, 0..1; 0 leaves outlines only. */
  readonly fill: number;
  readonly outlines: boolean;
  /** The raw image is looked at. */
  readonly hidden: boolean;
  readonly colorBy: ColorBy;
}

export interface LabelLayer {
  /** Draws the cells in `part` (device pixels) over what is there. */
  draw(part: Box, placement: Placement, canvas: Size, pixelRatio: number, look: LabelLook, hoverSlot: number): void;
  /** What lies inside `box` (image pixels) has changed: tiles that hold it send it again when they are next seen. */
  repaint(box: Box): void;
}

/** How far around a changed pixel the picture may change, in image pixels at `scale` device pixels each. */
export function spillOf(scale: number): number {
  return REACH * 2 ** levelFor(scale, LEVELS);
}

interface GpuTile {
  readonly texture: WebGLTexture;
  /** Image pixels of the whole texture, apron included. */
  readonly window: Box;
  readonly step: number;
  /** The part, in image pixels on the tile's grid, that is not as the document is now. */
  stale: Box | null;
}

function lineStrength(zoom: number): number {
  const at = (Math.log2(zoom) - Math.log2(HALF_LINES)) / (Math.log2(FULL_LINES) - Math.log2(HALF_LINES));
  return 0.5 + 0.5 * Math.min(1, Math.max(0, at));
}

export function createLabelLayer(gl: WebGL2RenderingContext, document: DocumentReader, preview: PreviewLayer, styles: StyleTable): LabelLayer {
  const program = createProgram(gl, TARGET_VERTEX, LABEL_FRAGMENT);
  const tiles = new Map<string, GpuTile>();

  /** Sends the stale part of the label map, with the preview over it, to the tile. */
  const refresh = (tile: GpuTile): void => {
    const { step, window, stale: part } = tile;
    if (!part) return;
    tile.stale = null;
    const around = boxGrow(part, REACH * step);
    const seen = document.labels.read(around, step);
    preview.layOver(seen, around, step);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    gl.texSubImage2D(
      gl.TEXTURE_2D,
      0,
      (part[0] - window[0]) / step,
      (part[1] - window[1]) / step,
      (part[2] - part[0]) / step,
      (part[3] - part[1]) / step,
      gl.RED_INTEGER,
      gl.UNSIGNED_INT,
      withDistances(seen, (around[2] - around[0]) / step),
    );
  };

  const create = (level: number, column: number, row: number): GpuTile => {
    const step = 2 ** level;
    const [x, y] = [column * CORE * step, row * CORE * step];
    const window = boxGrow([x, y, x + CORE * step, y + CORE * step], APRON * step);
    return { texture: createIntegerTexture(gl, gl.R32UI, CORE + 2 * APRON, CORE + 2 * APRON), window, step, stale: window };
  };
  /** The tile as the document is now, bound to the active unit. */
  const bindTile = (level: number, column: number, row: number): void => {
    const key = `${level}/${column}/${row}`;
    const tile = tiles.get(key) ?? create(level, column, row);
    tiles.delete(key);
    tiles.set(key, tile);
    const oldest = tiles.entries().next();
    if (tiles.size > MOST_TILES && !oldest.done) {
      gl.deleteTexture(oldest.value[1].texture);
      tiles.delete(oldest.value[0]);
    }
    gl.bindTexture(gl.TEXTURE_2D, tile.texture);
    refresh(tile);
  };

  const setUniforms = ({ scale, left, top }: Placement, canvas: Size, pixelRatio: number, look: LabelLook, hoverSlot: number): void => {
    gl.useProgram(program.handle);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.activeTexture(gl.TEXTURE1);
    styles.bind(gl);
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1i(program.uniform("uSlots"), 0);
    gl.uniform1i(program.uniform("uStyles"), 1);
    gl.uniform2f(program.uniform("uCanvas"), canvas.width, canvas.height);
    gl.uniform1f(program.uniform("uHeight"), canvas.height);
    // A whole number of dashes less: the remainder says the same and stays exact on a large image.
    const dash = DASH * pixelRatio;
    gl.uniform2f(program.uniform("uPhase"), left - Math.floor(left / dash) * dash, top - Math.floor(top / dash) * dash);
    gl.uniform1f(program.uniform("uRatio"), pixelRatio);
    gl.uniform1f(program.uniform("uFill"), look.fill);
    gl.uniform1i(program.uniform("uOutlines"), look.outlines ? 1 : 0);
    gl.uniform1f(program.uniform("uLines"), lineStrength(scale / pixelRatio));
    gl.uniform1i(program.uniform("uCasing"), scale / pixelRatio >= CASING_FROM ? 1 : 0);
    gl.uniform1ui(program.uniform("uHover"), hoverSlot);
  };

  return {
    draw(part, placement, canvas, pixelRatio, look, hoverSlot) {
      if (look.hidden) return;
      setUniforms(placement, canvas, pixelRatio, look, hoverSlot);
      const level = levelFor(placement.scale, LEVELS);
      const step = 2 ** level;
      const texelsPerPixel = 1 / (placement.scale * step);
      for (const { row, column, target } of tilesIn(part, placement, document, CORE * step)) {
        bindTile(level, column, row);
        gl.uniform3f(
          program.uniform("uTexels"),
          placement.left * texelsPerPixel - column * CORE + APRON + OFF_THE_EDGE.x,
          placement.top * texelsPerPixel - row * CORE + APRON + OFF_THE_EDGE.y,
          texelsPerPixel,
        );
        gl.uniform4f(program.uniform("uTarget"), ...target);
        gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
      }
    },
    repaint(box) {
      for (const tile of tiles.values()) {
        const { step, window } = tile;
        // Texels near the change may have got, or lost, a border.
        const touched = boxGrow(box, REACH * step);
        const part = boxIntersect(window, [
          Math.floor(touched[0] / step) * step,
          Math.floor(touched[1] / step) * step,
          Math.ceil(touched[2] / step) * step,
          Math.ceil(touched[3] / step) * step,
        ]);
        if (!boxIsEmpty(part)) tile.stale = tile.stale ? boxUnion(tile.stale, part) : part;
      }
    },
  };
}
