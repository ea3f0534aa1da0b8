import type { CellColors } from "../document/colors";
import { needsCheck } from "../document/commands";
import type { Cell } from "../document/patch";
import type { ChangeSet, DocumentReader } from "../document/store";
import { createIntegerTexture } from "./gl";

/** Slots a row of the table; the shader knows the same number. */
const ROW = 1024;
const SELECTED = 1;
const CHECK = 2;

/** How each slot looks (palette colour, flags), mirrored to a small texture: changing a cell's look costs two bytes. */
export interface StyleTable {
  bind(gl: WebGL2RenderingContext): void;
  /** The context was lost with all textures: the next bind makes a new one. */
  forget(): void;
  select(ids: ReadonlySet<string>): void;
  change(change: ChangeSet): void;
}

export function createStyleTable(document: DocumentReader, colors: CellColors): StyleTable {
  let table = new Uint8Array(ROW * 2);
  let texture: WebGLTexture | null = null;
  let owner: WebGL2RenderingContext | null = null;
  let rows = 0;
  let selection: ReadonlySet<string> = new Set();
  const stale = new Set<number>();

  const write = (cell: Cell): void => {
    const slot = document.slotOf(cell.id);
    while (slot * 2 >= table.length) {
      const larger = new Uint8Array(table.length * 2);
      larger.set(table);
      table = larger;
    }
    const flags = (selection.has(cell.id) ? SELECTED : 0) | (needsCheck(cell) ? CHECK : 0);
    const color = colors.of(cell);
    if (table[slot * 2] === color && table[slot * 2 + 1] === flags) return;
    table[slot * 2] = color;
    table[slot * 2 + 1] = flags;
    stale.add(Math.floor(slot / ROW));
  };
  for (const cell of document.cells()) write(cell);

  const send = (gl: WebGL2RenderingContext, row: number): void => {
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, ROW, 1, gl.RG_INTEGER, gl.UNSIGNED_BYTE, table, row * ROW * 2);
  };

  return {
    bind(gl) {
      const needed = table.length / (ROW * 2);
      if (texture === null || owner !== gl || rows !== needed) {
        if (texture !== null && owner === gl) gl.deleteTexture(texture);
        texture = createIntegerTexture(gl, gl.RG8UI, ROW, needed);
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
  };
}
