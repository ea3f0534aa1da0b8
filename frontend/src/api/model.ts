import { client, unwrap } from "./client";
import type { LoopSettings, ModelVersion, ProjectModel } from "./types";
import { fileUpload, type UploadOptions } from "./upload";

export function modelGet(projectId: string): Promise<ProjectModel> {
  return unwrap(client.GET("/api/projects/{project_id}/model", { params: { path: { project_id: projectId } } }));
}

export async function trainingStart(projectId: string): Promise<void> {
  await unwrap(client.POST("/api/projects/{project_id}/training-runs", { params: { path: { project_id: projectId } } }));
}

export async function trainingCancel(runId: string): Promise<void> {
  await unwrap(client.POST("/api/training-runs/{run_id}/cancel", { params: { path: { run_id: runId } } }));
}

/** Promote by hand and roll back are the same act: this version is active from now on, or as soon as its features are there. */
export function versionActivate(projectId: string, versionId: string): Promise<ProjectModel> {
  return unwrap(
    client.PUT("/api/projects/{project_id}/active-version", { params: { path: { project_id: projectId } }, body: { version: versionId } }),
  );
}

export function loopSettingsSet(projectId: string, settings: Partial<LoopSettings>): Promise<ProjectModel> {
  return unwrap(client.PUT("/api/projects/{project_id}/loop-settings", { params: { path: { project_id: projectId } }, body: settings }));
}

/** A safetensors file becomes a version of this project; it labels nothing before somebody makes it active. */
export function versionImport(projectId: string, file: File, options: UploadOptions): Promise<ModelVersion> {
  return fileUpload(`/api/projects/${encodeURIComponent(projectId)}/model-versions/import`, file, options);
}

/** One full model as a file to download. */
export function checkpointUrl(versionId: string): string {
  return `/api/model-versions/${encodeURIComponent(versionId)}/checkpoint`;
}

/** A line a submitted image: what people did to it, how long it took, and the version's F1. */
export function proofUrl(projectId: string): string {
  return `/api/projects/${encodeURIComponent(projectId)}/proof.csv`;
}
