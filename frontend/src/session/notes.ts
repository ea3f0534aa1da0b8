import { messageOf } from "../api/errors";
import { type Note, noteCreate, noteDelete, noteList, noteResolve } from "../api/notes";
import { type Readable, createValue } from "./value";

/** What people wrote about the image and its cells. */
export interface Notes {
  /** Oldest first; null until they have come. */
  readonly list: Readable<readonly Note[] | null>;
  /** How many are not resolved. */
  readonly open: Readable<number>;
  /** False if it could not be sent, which is said; the text is then the page's to keep. */
  write(text: string, cell: string | null): Promise<boolean>;
  resolve(id: string, resolved: boolean): Promise<void>;
  remove(id: string): Promise<void>;
  refresh(): Promise<void>;
}

export function createNotes(imageId: string, firstOpen: number, say: (words: string) => void): Notes {
  const list = createValue<readonly Note[] | null>(null);
  const open = createValue(firstOpen);

  const refresh = async (): Promise<void> => {
    const notes = await noteList(imageId);
    list.set(notes);
    open.set(notes.filter((note) => note.resolved_at === null).length);
  };
  const aloud = async (failure: string, act: () => Promise<unknown>): Promise<boolean> => {
    try {
      await act();
      await refresh();
      return true;
    } catch (error) {
      say(`${failure} ${messageOf(error)}`);
      return false;
    }
  };

  return {
    list,
    open,
    write: (text, cell) => aloud("The note was not sent.", () => noteCreate(imageId, text, cell)),
    resolve: async (id, resolved) => void (await aloud("The note was not changed.", () => noteResolve(id, resolved))),
    remove: async (id) => void (await aloud("The note was not deleted.", () => noteDelete(id))),
    refresh,
  };
}
