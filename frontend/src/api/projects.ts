import { client, unwrap } from "./client";
import type { ChannelMap, ChannelMapSaved, Member, Project, Role } from "./types";

export function projectList(): Promise<Project[]> {
  return unwrap(client.GET("/api/projects"));
}

export function projectCreate(name: string): Promise<Project> {
  return unwrap(client.POST("/api/projects", { body: { name } }));
}

export function projectGet(id: string): Promise<Project> {
  return unwrap(client.GET("/api/projects/{project_id}", { params: { path: { project_id: id } } }));
}

export async function projectDelete(id: string): Promise<void> {
  await unwrap(client.DELETE("/api/projects/{project_id}", { params: { path: { project_id: id } } }));
}

/** Waiting images go on as soon as the map covers their channels. */
export function channelMapSet(id: string, map: ChannelMap): Promise<ChannelMapSaved> {
  return unwrap(client.PUT("/api/projects/{project_id}/channel-map", { params: { path: { project_id: id } }, body: map }));
}

export function memberList(id: string): Promise<Member[]> {
  return unwrap(client.GET("/api/projects/{project_id}/members", { params: { path: { project_id: id } } }));
}

export function memberAdd(id: string, username: string, role: Role): Promise<Member> {
  return unwrap(client.POST("/api/projects/{project_id}/members", { params: { path: { project_id: id } }, body: { username, role } }));
}

export function memberUpdate(id: string, userId: number, role: Role): Promise<Member> {
  return unwrap(
    client.PATCH("/api/projects/{project_id}/members/{user_id}", { params: { path: { project_id: id, user_id: userId } }, body: { role } }),
  );
}

export async function memberRemove(id: string, userId: number): Promise<void> {
  await unwrap(client.DELETE("/api/projects/{project_id}/members/{user_id}", { params: { path: { project_id: id, user_id: userId } } }));
}
