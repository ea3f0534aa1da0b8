import { type Box, boxGrow, boxIntersect, boxIsEmpty } from "../document/box";
import { CELL_PALETTE } from "../document/colors";
import type { PreviewLayer } from "../document/preview";
import type { DocumentReader } from "../document/store";
import { type Camera, type Size, levelFor, visibleBox } from "./camera";
import { RECTANGLE_VERTEX, createIntegerTexture, createProgram } from "./gl";
import { LABEL_FRAGMENT } from "./labelShader";
import { REACH, markBorders } from "./slotTexels";
import type { StyleTable } from "./styleTable";

/** Texels a side that a label tile shows, and those around it that outlines at its edge look at. */
const CORE = 512;
const APRON = REACH;
/** 1 MB each. */
const MOST_TILES = 96;
const LEVELS = 12;

export interface LabelLook {
  /** Opacity of a plain cell's fill, 0..1. */
  readonly fill: number;
  readonly outlines: boolean;
  readonly hidden: boolean;
}

export interface LabelLayer {
  draw(camera: Camera, viewport: Size, pixelRatio: number, look: LabelLook, hoverSlot: number): void;
  /** Uploads again what lies inside `box`, in the tiles that are there. */
  repaint(box: Box): void;
}

interface GpuTile {
  readonly texture: WebGLTexture;
  /** Image pixels of the whole texture, apron included. */
  readonly window: Box;
  readonly step: number;
}

export function createLabelLayer(
  gl: WebGL2RenderingContext,
  document: DocumentReader,
  preview: PreviewLayer,
  styles: StyleTable,
): LabelLayer {
  const program = createProgram(gl, RECTANGLE_VERTEX, LABEL_FRAGMENT);
  const tiles = new Map<string, GpuTile>();
  const palette = new Float32Array(CELL_PALETTE.flatMap((rgb) => rgb.map((v) => v / 255)));

  /** Sends `part` (image pixels, on the tile's grid) of the label map, with the preview over it, to the tile. */
  const upload = (tile: GpuTile, part: Box): void => {
    const { step, window } = tile;
    const around = boxGrow(part, REACH * step);
    const seen = document.labels.read(around, step);
    preview.layOver(seen, around, step);
    const slots = markBorders(seen, (around[2] - around[0]) / step);
    gl.bindTexture(gl.TEXTURE_2D, tile.texture);
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
      slots,
    );
  };

  const tileAt = (level: number, column: number, row: number): GpuTile => {
    const key = `${level}/${column}/${row}`;
    const known = tiles.get(key);
    if (known) {
      tiles.delete(key);
      tiles.set(key, known);
      return known;
    }
    const step = 2 ** level;
    const [x, y] = [column * CORE * step, row * CORE * step];
    const window = boxGrow([x, y, x + CORE * step, y + CORE * step], APRON * step);
    const size = CORE + 2 * APRON;
    const tile: GpuTile = { texture: createIntegerTexture(gl, gl.R32UI, size, size), window, step };
    upload(tile, window);
    tiles.set(key, tile);
    const oldest = tiles.entries().next();
    if (tiles.size > MOST_TILES && !oldest.done) {
      gl.deleteTexture(oldest.value[1].texture);
      tiles.delete(oldest.value[0]);
    }
    return tile;
  };

  const setUniforms = (camera: Camera, viewport: Size, pixelRatio: number, look: LabelLook, hoverSlot: number, step: number): void => {
    gl.useProgram(program.handle);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.activeTexture(gl.TEXTURE1);
    styles.bind(gl);
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1i(program.uniform("uSlots"), 0);
    gl.uniform1i(program.uniform("uStyles"), 1);
    gl.uniform3fv(program.uniform("uPalette"), palette);
    gl.uniform3f(program.uniform("uCamera"), camera.x, camera.y, camera.zoom);
    gl.uniform2f(program.uniform("uViewport"), viewport.width, viewport.height);
    gl.uniform1f(program.uniform("uTexel"), camera.zoom * pixelRatio * step);
    gl.uniform1f(program.uniform("uRatio"), pixelRatio);
    gl.uniform1f(program.uniform("uFill"), look.fill);
    gl.uniform1i(program.uniform("uOutlines"), look.outlines ? 1 : 0);
    gl.uniform1i(program.uniform("uLines"), camera.zoom >= 0.25 ? 1 : 0);
    gl.uniform1i(program.uniform("uCasing"), camera.zoom >= 0.6 ? 1 : 0);
    gl.uniform1ui(program.uniform("uHover"), hoverSlot);
  };

  return {
    draw(camera, viewport, pixelRatio, look, hoverSlot) {
      if (look.hidden) return;
      const level = levelFor(camera.zoom * pixelRatio, LEVELS);
      const step = 2 ** level;
      const span = CORE * step;
      setUniforms(camera, viewport, pixelRatio, look, hoverSlot, step);
      const seen = boxIntersect(visibleBox(camera, viewport), [0, 0, document.width, document.height]);
      if (boxIsEmpty(seen)) return;
      for (let row = Math.floor(seen[1] / span); row * span < seen[3]; row++) {
        for (let column = Math.floor(seen[0] / span); column * span < seen[2]; column++) {
          const tile = tileAt(level, column, row);
          const [x0, y0] = [column * span, row * span];
          const [x1, y1] = [Math.min(document.width, x0 + span), Math.min(document.height, y0 + span)];
          gl.bindTexture(gl.TEXTURE_2D, tile.texture);
          gl.uniform4f(program.uniform("uRect"), x0, y0, x1, y1);
          gl.uniform4f(program.uniform("uPart"), APRON, APRON, APRON + (x1 - x0) / step, APRON + (y1 - y0) / step);
          gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
        }
      }
    },
    repaint(box) {
      gl.activeTexture(gl.TEXTURE0);
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
        if (!boxIsEmpty(part)) upload(tile, part);
      }
    },
  };
}
