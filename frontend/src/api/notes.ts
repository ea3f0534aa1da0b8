import { client, unwrap } from "./client";

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly initials: string;
}

/** What somebody wrote about a cell, or about the image. */
export interface Note {
  readonly id: string;
  readonly image: string;
  readonly cell: string | null;
  readonly author: Person | null;
  readonly mine: boolean;
  readonly text: string;
  readonly created_at: string;
  readonly resolved_by: Person | null;
  readonly resolved_at: string | null;
}

const ofNote = (noteId: string) => ({ params: { path: { note_id: noteId } } });

/** Oldest first. */
export async function noteList(imageId: string): Promise<readonly Note[]> {
  const answer = await unwrap(client.GET("/api/images/{image_id}/notes", { params: { path: { image_id: imageId } } }));
  return answer.notes;
}

export function noteCreate(imageId: string, text: string, cell: string | null): Promise<Note> {
  return unwrap(client.POST("/api/images/{image_id}/notes", { params: { path: { image_id: imageId } }, body: { text, cell } }));
}

export function noteResolve(noteId: string, resolved: boolean): Promise<Note> {
  return unwrap(client.PATCH("/api/notes/{note_id}", { ...ofNote(noteId), body: { resolved } }));
}

/** The author's own notes only. */
export async function noteDelete(noteId: string): Promise<void> {
  await unwrap(client.DELETE("/api/notes/{note_id}", ofNote(noteId)));
}
