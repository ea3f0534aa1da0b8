import { client, unwrap } from "./client";

/** A class of the project's ontology. */
export interface CellClass {
  readonly id: string;
  readonly name: string;
  /** "#rrggbb" */
  readonly colour: string;
  /** The digit that gives it, 1 to 9. */
  readonly key: number | null;
  readonly order: number;
  /** Still on cells, not offered any more. */
  readonly archived: boolean;
}

const ofProject = (projectId: string) => ({ params: { path: { project_id: projectId } } });
const ofClass = (classId: string) => ({ params: { path: { class_id: classId } } });

export async function classList(projectId: string): Promise<readonly CellClass[]> {
  const answer = await unwrap(client.GET("/api/projects/{project_id}/classes", ofProject(projectId)));
  return answer.classes;
}

export function classCreate(projectId: string, body: { name: string; colour: string; key?: number | null }): Promise<CellClass> {
  return unwrap(client.POST("/api/projects/{project_id}/classes", { ...ofProject(projectId), body }));
}

export function classUpdate(classId: string, body: Partial<Omit<CellClass, "id">>): Promise<CellClass> {
  return unwrap(client.PATCH("/api/classes/{class_id}", { ...ofClass(classId), body }));
}

/** A class in use is archived instead: `deleted` says which it was. */
export function classDelete(classId: string): Promise<{ readonly deleted: boolean; readonly cell_class: CellClass | null }> {
  return unwrap(client.DELETE("/api/classes/{class_id}", ofClass(classId)));
}

/** All classes of the project, in their new order. */
export async function classOrder(projectId: string, ids: readonly string[]): Promise<readonly CellClass[]> {
  const answer = await unwrap(client.PUT("/api/projects/{project_id}/classes/order", { ...ofProject(projectId), body: { ids: [...ids] } }));
  return answer.classes;
}

export interface ClassCount {
  /** Null: cells without a class. */
  readonly class_id: string | null;
  readonly cells: number;
}

export async function classCounts(projectId: string): Promise<readonly ClassCount[]> {
  const answer = await unwrap(client.GET("/api/projects/{project_id}/class-counts", ofProject(projectId)));
  return answer.classes;
}
