import type { ImageDetail } from "../api/types";
import { type CellColors, createCellColors } from "../document/colors";
import { type History, createHistory } from "../document/history";
import { type PreviewLayer, createPreviewLayer } from "../document/preview";
import { type CellStore, createStore } from "../document/store";
import type { ToolId } from "../tools/registry";
import { createTools } from "../tools/registry";
import type { Tool } from "../tools/tool";
import { type Autosave, createAutosave } from "./autosave";
import { type Decoder, createDecoder } from "./decoder";
import { type Editing, createEditing } from "./editing";
import { listenToProject } from "./events";
import { type Looks, createLooks } from "./looks";
import { areaWords } from "./measures";
import type { Opened } from "./openImage";
import { reapply, renameCells } from "./rebase";
import { fetchImage, fetchProject, fetchTile } from "./requests";
import { type Readable, type Value, createValue } from "./value";
import { type View, createView } from "./view";

export interface Notice {
  readonly words: string;
  /** Counts up, so that the same words said twice are seen twice. */
  readonly number: number;
}

/** One image, open for labelling: the parts that the page and its keys use. */
export interface ImageSession {
  readonly opened: Opened;
  readonly image: Readable<ImageDetail>;
  readonly modelName: Readable<string | null>;
  readonly document: CellStore;
  readonly history: History;
  readonly colors: CellColors;
  readonly autosave: Autosave;
  readonly decoder: Decoder;
  readonly view: View;
  readonly looks: Looks;
  readonly editing: Editing;
  readonly tools: Readonly<Record<ToolId, Tool>>;
  readonly tool: Value<ToolId>;
  readonly brushRadius: Value<number>;
  readonly selection: Value<ReadonlySet<string>>;
  readonly notice: Readable<Notice | null>;
  /** Counts changes of cells; what a list of cells follows. */
  readonly changes: Readable<number>;
  /** Why nothing can be changed, or null. */
  readonly readOnly: string | null;
  say(words: string): void;
  dispose(): void;
}

export const SMALLEST_BRUSH = 0.5;
export const LARGEST_BRUSH = 100;
const FIRST_BRUSH = 6;
/** Our own edit's news may come before its answer: wait this long before asking what is new. */
const NEWS_DELAY_MS = 400;

const newId = (): string => crypto.randomUUID();

function loadDocument({ image, cells, waiting, history: saved }: Opened, say: (words: string) => void) {
  const store = createStore(image.width, image.height);
  store.apply({ added: cells.cells, updated: [], removed: [] }, "server");
  store.reserveLabels(cells.nextLabel);
  const history = createHistory(store);
  const { patches, words, renamed } = reapply(store, waiting.map((edit) => edit.patch), newId);
  words.forEach(say);
  history.restore({
    cursor: saved.cursor,
    entries: saved.entries.map((entry) => ({ ...entry, patch: renameCells(entry.patch, renamed) })),
  });
  const pending = waiting.map((edit, index) => ({ ...edit, patch: patches[index] }));
  return { store, history, pending: pending.filter(({ patch }) => patch.added.length + patch.updated.length + patch.removed.length > 0) };
}

export function createImageSession(opened: Opened): ImageSession {
  const { local } = opened;
  const imageId = opened.image.id;
  const image = createValue(opened.image);
  const modelName = createValue(opened.project.active_version?.name ?? null);
  const notice = createValue<Notice | null>(null);
  const say = (words: string): void => notice.set({ words, number: (notice.get()?.number ?? 0) + 1 });

  const { store, history, pending } = loadDocument(opened, say);
  const preview: PreviewLayer = createPreviewLayer();
  const colors = createCellColors(store);
  const selection = createValue<ReadonlySet<string>>(new Set());
  const changes = createValue(0);
  const tool = createValue<ToolId>("select");
  const brushRadius = createValue(FIRST_BRUSH);
  const decoder = createDecoder(imageId);

  const autosave = createAutosave({
    imageId,
    store,
    local,
    revision: opened.cells.revision,
    waiting: pending,
    newId,
    say,
    onRenamed(renamed) {
      const { entries, cursor } = history.state();
      history.restore({ cursor, entries: entries.map((entry) => ({ ...entry, patch: renameCells(entry.patch, renamed) })) });
      void local?.replaceHistory(history.state());
    },
  });
  history.listen((event) => autosave.add(event));

  const view = createView(
    {
      image: {
        width: opened.image.width,
        height: opened.image.height,
        channels: opened.image.channels.length,
        dtype: opened.image.dtype === "uint16" ? "uint16" : "uint8",
        levels: opened.image.levels,
        tileSize: opened.image.tile_size,
      },
      document: store,
      preview,
      colors,
      loadTile: (address, signal) => fetchTile(imageId, opened.image.dtype, address, signal),
      onTile: (address, tile) => looks.learn(address, tile),
      onTileError: () => say("Part of the picture did not load. It is asked for again."),
    },
    selection,
  );
  const looks = createLooks(opened.image, view.channels);
  const editing = createEditing(store, history, selection, say);

  const tools = createTools({
    document: store,
    preview,
    selection: {
      get ids() {
        return selection.get();
      },
      set: (ids) => selection.set(new Set(ids)),
    },
    view,
    brush: {
      get radius() {
        return brushRadius.get();
      },
    },
    marks: view.marks,
    decode: (box, signal, onWait) => decoder.decode(box, signal, onWait),
    commit: editing.commit,
    say,
    newId,
    area: (pixels) => areaWords(pixels, opened.image.pixel_size_um),
  });

  store.listen(({ patch }) => {
    const gone = patch.removed.filter((cell) => selection.get().has(cell.id));
    if (gone.length > 0) selection.set(new Set([...selection.get()].filter((id) => store.get(id))));
    changes.set(changes.get() + 1);
  });

  const timers = new Set<ReturnType<typeof setTimeout>>();
  const catchUpSoon = (): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      // Without an answer the next change or the next news asks again.
      if (autosave.state.get().waiting === 0) autosave.catchUp().catch(() => undefined);
    }, NEWS_DELAY_MS);
    timers.add(timer);
  };
  const refetch = (): void => {
    fetchImage(imageId).then((fresh) => {
      image.set(fresh);
      if (fresh.revision > autosave.revision) catchUpSoon();
    }, () => undefined);
  };
  const stop = listenToProject(opened.image.project, {
    onConnect: refetch,
    onModel: () => void fetchProject(opened.image.project).then((project) => modelName.set(project.active_version?.name ?? null), () => undefined),
    onImage(news) {
      if (news.id !== imageId) return;
      if (news.status !== image.get().status) refetch();
      else image.set({ ...image.get(), progress: news.progress, error: news.error });
      if (news.revision > autosave.revision) catchUpSoon();
    },
  });

  return {
    opened,
    image,
    modelName,
    document: store,
    history,
    colors,
    autosave,
    decoder,
    view,
    looks,
    editing,
    tools,
    tool,
    brushRadius,
    selection,
    notice,
    changes,
    readOnly: opened.project.role === "viewer" ? "You can look at this project, not change it." : null,
    say,
    dispose() {
      stop();
      for (const timer of timers) clearTimeout(timer);
      autosave.retire();
    },
  };
}
