import type { Tab } from "../api/presence";
import type { ImageDetail, Project } from "../api/types";
import type { CellColors } from "../document/colors";
import { type History, createHistory } from "../document/history";
import type { Cell } from "../document/patch";
import { createPreviewLayer } from "../document/preview";
import { type CellStore, createStore } from "../document/store";
import { type ToolId, createTools } from "../tools/registry";
import type { Tool, ToolContext } from "../tools/tool";
import { type Access, readOnlyWords } from "./access";
import type { Autosave } from "./autosave";
import { carry } from "./carry";
import { type Classes, createClasses } from "./classes";
import type { Conflicts } from "./conflicts";
import { type Decoder, createDecoder } from "./decoder";
import { type Editing, createEditing } from "./editing";
import { sendElsewhere } from "./elsewhere";
import { type Flow, createFlow } from "./flow";
import { type Frames, createFrames } from "./frames";
import { newId } from "./ids";
import { type InHand, createInHand } from "./inHand";
import { createKeeping } from "./keeping";
import { keyboard } from "./keys/keyboard";
import { type ImageNews, followImage } from "./live";
import type { Looks } from "./looks";
import { type CellMeasures, measureCell } from "./measures";
import { type Notes, createNotes } from "./notes";
import type { Opened } from "./openImage";
import { type Options, createOptions } from "./options";
import { preferencesFor } from "./preferences";
import { prefetch } from "./prefetch";
import { type Proposals, createProposals } from "./proposals";
import { fetchImage, fetchProject } from "./requests";
import type { Saved } from "./saved";
import type { SeeingState } from "./seeing";
import { createSight } from "./sight";
import { createToolContext } from "./toolContext";
import { type Readable, type Value, createValue, derive } from "./value";
import type { View } from "./view";

export interface Notice {
  readonly words: string;
  /** Counts up, so that the same words said twice are seen twice. */
  readonly number: number;
}

/** One image, open for labelling: the parts that the page and its keys use. */
export interface ImageSession extends InHand, Pick<SeeingState, "seeing" | "setSeeing" | "toggleFill" | "nextColour"> {
  readonly opened: Opened;
  readonly image: Readable<ImageDetail>;
  readonly model: Readable<Project["active_version"]>;
  readonly document: CellStore;
  readonly history: History;
  readonly colors: CellColors;
  readonly autosave: Autosave;
  readonly decoder: Decoder;
  readonly view: View;
  readonly looks: Looks;
  readonly editing: Editing;
  readonly tools: Readonly<Record<ToolId, Tool>>;
  readonly toolContext: ToolContext;
  readonly options: Options;
  readonly selection: Value<ReadonlySet<string>>;
  readonly notice: Readable<Notice | null>;
  /** Counts changes of cells; what a list of cells follows. */
  readonly changes: Readable<number>;
  readonly access: Readable<Access>;
  /** Everyone who has the image open, this tab included. */
  readonly people: Readable<readonly Tab[]>;
  /** This tab, as `people` names it. */
  readonly me: string;
  /** Why nothing can be changed, or null; follow `access`. */
  readonly readOnly: string | null;
  readonly saved: Readable<Saved>;
  readonly conflicts: Conflicts;
  readonly unsent: {
    /** Takes what waits out of the document and into `conflicts`. */
    setAside(): Promise<void>;
  };
  readonly classes: Classes;
  readonly notes: Notes;
  readonly queue: Flow;
  /** What changes of the project's images, this one among them. */
  readonly news: Readable<ImageNews>;
  readonly frames: Frames;
  readonly proposals: Proposals;
  /** Makes this tab the one that edits, whoever does now. Throws if the server says no or cannot be reached. */
  takeOver(): Promise<void>;
  measure(cell: Cell): Promise<CellMeasures>;
  say(words: string): void;
  dispose(): void;
}

function loadDocument({ image, cells, history: saved }: Opened) {
  const store = createStore(image.width, image.height);
  store.apply({ added: cells.cells, updated: [], removed: [] }, "server");
  store.reserveLabels(cells.nextLabel);
  const history = createHistory(store);
  history.restore(saved);
  return { store, history };
}

export function createImageSession(opened: Opened): ImageSession {
  const { local, tab, user, project } = opened;
  const imageId = opened.image.id;
  const image = createValue(opened.image);
  const model = createValue(project.active_version);
  const notice = createValue<Notice | null>(null);
  const say = (words: string): void => notice.set({ words, number: (notice.get()?.number ?? 0) + 1 });
  const preferences = preferencesFor(user.id);

  const { store, history } = loadDocument(opened);
  const preview = createPreviewLayer();
  const selection = createValue<ReadonlySet<string>>(new Set());
  const changes = createValue(0);
  const { options, dispose: stopOptions } = createOptions(preferences);

  const editing = createEditing(store, history, selection, say);
  const keeping = createKeeping({ opened, store, history, commit: editing.commit, say });
  const { autosave, lease, access, people, conflicts, saved } = keeping;
  const classes = createClasses({ projectId: project.id, store, selection, carry, commit: editing.commit, say });
  const sight = createSight({ opened, store, preview, selection, classes, preferences, carry, say });
  const { view, looks, colors, pixels } = sight;
  const decoder = createDecoder(imageId, () => model.get()?.takes_points ?? false);
  const toolContext = createToolContext({
    document: store,
    preview,
    selection,
    view,
    options,
    currentClass: classes.current,
    carry,
    model: decoder,
    pixels,
    pixelSizeUm: opened.image.pixel_size_um,
    commit: editing.commit,
    say,
    newId,
  });
  const tools = createTools(toolContext);
  const inHand = createInHand({ tool: createValue<ToolId>(carry.tool ?? "select"), tools, say });

  const notes = createNotes(imageId, opened.image.notes, say);
  const queue = createFlow({
    imageId,
    projectId: project.id,
    tab,
    autosave,
    finishBoxes: inHand.finishBoxes,
    say,
    async onSubmitted() {
      history.restore({ entries: [], cursor: 0 });
      await local?.forgetHistory();
    },
  });
  const proposals = createProposals({
    imageId,
    tab,
    autosave,
    newId,
    say,
    record(patch, words) {
      const { entries, cursor } = history.state();
      history.restore({ entries: [...entries.slice(0, cursor), { words, patch }], cursor: cursor + 1 });
      changes.set(changes.get() + 1);
      void local?.rewrite({ edits: [], drop: [], history: history.state() });
    },
  });
  const frames = createFrames({
    imageId,
    place: opened.image.series,
    store,
    carry,
    newId,
    commit: editing.commit,
    select: (ids) => selection.set(new Set(ids)),
    say,
  });

  store.listen(({ origin, patch }) => {
    // What was lent was lent for one new cell.
    if (origin === "local" && patch.added.length > 0) options.giveBack();
    const gone = patch.removed.filter((cell) => selection.get().has(cell.id));
    if (gone.length > 0) selection.set(new Set([...selection.get()].filter((id) => store.get(id))));
    changes.set(changes.get() + 1);
  });

  const quietly = (asked: Promise<unknown>): void => void asked.catch(() => undefined);
  const refetchImage = (): void =>
    quietly(
      fetchImage(imageId).then((fresh) => {
        image.set(fresh);
        live.onRevision(fresh.revision);
      }),
    );
  const live = followImage({
    imageId,
    projectId: project.id,
    tab,
    autosave,
    lease,
    refetchImage,
    onProgress({ status, progress = null, error = "" }) {
      if (status !== image.get().status) refetchImage();
      else image.set({ ...image.get(), progress, error });
    },
    onOthers: queue.stir,
    onModel: () => quietly(fetchProject(project.id).then((fresh) => model.set(fresh.active_version))),
    onClasses: () => quietly(classes.refresh()),
    onNotes: () => quietly(notes.refresh()),
    onProposals: () => quietly(proposals.refresh()),
  });

  live.news.subscribe(() => {
    const { event } = live.news.get();
    if (event) queue.hear(event);
    else queue.stir();
  });

  keeping.begin(() => frames.putDown(options.get().overlap));
  const stopKeys = keyboard.follow(preferences);
  for (const asked of [preferences.sync(), classes.refresh(), notes.refresh(), queue.refresh(), frames.refresh()]) quietly(asked);
  const stopSending = sendElsewhere(user, imageId);
  if (opened.image.proposals > 0) quietly(proposals.refresh());
  const following = derive([queue.upcoming], () => queue.upcoming.get()[0]?.image.id ?? null);
  following.subscribe(() => {
    const next = following.get();
    if (next !== null) prefetch.ahead(next, project.role !== "viewer");
  });
  for (const beside of [frames.beside(1), frames.beside(-1)]) if (beside) prefetch.ahead(beside, false);

  return {
    ...sight.seeing,
    ...inHand,
    opened,
    image,
    model,
    document: store,
    history,
    colors,
    autosave,
    decoder,
    view,
    looks,
    editing,
    tools,
    toolContext,
    options,
    selection,
    notice,
    changes,
    access,
    people,
    me: tab,
    get readOnly() {
      return readOnlyWords(access.get(), user.id);
    },
    saved,
    conflicts,
    unsent: {
      setAside: () => autosave.setAside(`${access.get().holder?.name ?? "Someone else"} took over before this was saved.`),
    },
    classes,
    notes,
    queue,
    news: live.news,
    frames,
    proposals,
    takeOver: lease.takeOver,
    measure: (cell) => measureCell(cell, pixels, opened.image.channels.length),
    say,
    dispose() {
      carry.tool = inHand.tool.get();
      // What boxes still bring is saved, too, before the image is let go.
      void inHand.leaveTool().finally(keeping.leave);
      for (const stop of [live.stop, queue.stop, stopKeys, stopOptions, stopSending, sight.leave]) stop();
    },
  };
}
