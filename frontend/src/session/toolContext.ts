import type { Patch } from "../document/patch";
import type { PreviewLayer } from "../document/preview";
import type { DocumentReader } from "../document/store";
import type { OptionValues } from "../tools/options";
import type { Pixels } from "../tools/pixels";
import type { Model, ToolContext } from "../tools/tool";
import type { Carry } from "./carry";
import { areaWords } from "./measures";
import type { Readable, Value } from "./value";
import type { View } from "./view";

interface Parts {
  readonly document: DocumentReader;
  readonly preview: PreviewLayer;
  readonly selection: Value<ReadonlySet<string>>;
  readonly view: View;
  readonly options: Readable<OptionValues>;
  readonly currentClass: Readable<string | null>;
  readonly carry: Carry;
  readonly model: Model;
  readonly pixels: Pixels;
  readonly pixelSizeUm: number | null;
  readonly commit: (patch: Patch, words: string) => void;
  readonly say: (words: string) => void;
  readonly newId: () => string;
}

/** The tools' narrow window on the session: values are read when they are needed, not when the tools are made. */
export function createToolContext(parts: Parts): ToolContext {
  const { selection, view, options, currentClass, carry } = parts;
  return {
    document: parts.document,
    preview: parts.preview,
    selection: {
      get ids() {
        return selection.get();
      },
      set: (ids) => selection.set(new Set(ids)),
    },
    view,
    get options() {
      return options.get();
    },
    get classId() {
      return currentClass.get();
    },
    marks: view.marks,
    model: parts.model,
    pixels: parts.pixels,
    clipboard: {
      get cells() {
        return carry.clipboard;
      },
      set(cells) {
        carry.clipboard = cells;
      },
    },
    commit: parts.commit,
    say: parts.say,
    newId: parts.newId,
    area: (pixels) => areaWords(pixels, parts.pixelSizeUm),
  };
}
