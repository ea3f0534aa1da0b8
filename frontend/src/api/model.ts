import { client, unwrap } from "./client";
import type { ProjectModel } from "./types";

export function modelGet(projectId: string): Promise<ProjectModel> {
  return unwrap(client.GET("/api/projects/{project_id}/model", { params: { path: { project_id: projectId } } }));
}

export async function trainingStart(projectId: string): Promise<void> {
  await unwrap(client.POST("/api/projects/{project_id}/training-runs", { params: { path: { project_id: projectId } } }));
}

export async function trainingCancel(runId: string): Promise<void> {
  await unwrap(client.POST("/api/training-runs/{run_id}/cancel", { params: { path: { run_id: runId } } }));
}

/** Promote by hand and roll back are the same act: this version is active from now on. */
export async function versionActivate(projectId: string, versionId: string): Promise<void> {
  await unwrap(
    client.PUT("/api/projects/{project_id}/active-version", { params: { path: { project_id: projectId } }, body: { version: versionId } }),
  );
}
