import { needsCheck } from "../document/commands";
import type { Cell } from "../document/patch";
import type { ChangeSet, DocumentReader } from "../document/store";
import type { Rgb } from "./cellTones";
import { createIntegerTexture } from "./gl";

/** Slots a row of the table; the shader knows the same number. */
export const STYLE_ROW = 1024;
export const SELECTED = 1;
export const CHECK = 2;
const BYTES = 4;

/** How each slot looks (colour, flags), mirrored to a small texture: changing a cell's look costs four bytes. */
export interface StyleTable {
  bind(gl: WebGL2RenderingContext): void;
  /** The context was lost with all textures: the next bind makes a new one. */
  forget(): void;
  select(ids: ReadonlySet<string>): void;
  change(change: ChangeSet): void;
  /** All cells get the colours of another rule. */
  recolor(toneOf: (cell: Cell) => Rgb): void;
}

export function createStyleTable(document: DocumentReader, firstTone: (cell: Cell) => Rgb): StyleTable {
  let toneOf = firstTone;
  let table = new Uint8Array(STYLE_ROW * BYTES);
  let texture: WebGLTexture | null = null;
  let owner: WebGL2RenderingContext | null = null;
  let rows = 0;
  let selection: ReadonlySet<string> = new Set();
  const stale = new Set<number>();

  const write = (cell: Cell): void => {
    const slot = document.slotOf(cell.id);
    while (slot * BYTES >= table.length) {
      const larger = new Uint8Array(table.length * 2);
      larger.set(table);
      table = larger;
    }
    const flags = (selection.has(cell.id) ? SELECTED : 0) | (needsCheck(cell) ? CHECK : 0);
    table.set(toneOf(cell), slot * BYTES);
    table[slot * BYTES + 3] = flags;
    stale.add(Math.floor(slot / STYLE_ROW));
  };
  const writeAll = (): void => {
    for (const cell of document.cells()) write(cell);
  };
  writeAll();

  const send = (gl: WebGL2RenderingContext, row: number): void => {
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, STYLE_ROW, 1, gl.RGBA_INTEGER, gl.UNSIGNED_BYTE, table, row * STYLE_ROW * BYTES);
  };

  return {
    bind(gl) {
      const needed = table.length / (STYLE_ROW * BYTES);
      if (texture === null || owner !== gl || rows !== needed) {
        if (texture !== null && owner === gl) gl.deleteTexture(texture);
        texture = createIntegerTexture(gl, gl.RGBA8UI, STYLE_ROW, needed);
        [owner, rows] = [gl, needed];
        for (let row = 0; row < rows; row++) stale.add(row);
      }
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      for (const row of stale) send(gl, row);
      stale.clear();
    },
    forget() {
      texture = null;
    },
    select(ids) {
      const touched = new Set([...selection, ...ids]);
      selection = ids;
      for (const id of touched) {
        const cell = document.get(id);
        if (cell) write(cell);
      }
    },
    change({ patch }) {
      for (const cell of patch.added) write(cell);
      for (const { after } of patch.updated) write(after);
    },
    recolor(next) {
      toneOf = next;
      writeAll();
    },
  };
}
