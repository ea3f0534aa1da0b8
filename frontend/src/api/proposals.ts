import { client, unwrap } from "./client";

/** Cells of a segmentation that finished after a person had edited: nothing changes until somebody says so. */
export interface Proposal {
  readonly id: string;
  readonly created_at: string;
  readonly model_version: { readonly id: string; readonly name: string; readonly number: number } | null;
  readonly cells: number;
  readonly patch: unknown;
}

/** Open ones, the newest first. */
export async function proposalList(imageId: string): Promise<readonly Proposal[]> {
  const answer = await unwrap(client.GET("/api/images/{image_id}/proposals", { params: { path: { image_id: imageId } } }));
  return answer.proposals;
}

export type ProposalMode = "replace" | "add";

export interface ProposalAccepted {
  readonly id: string;
  readonly revision: number;
  readonly patch: unknown;
}

export function proposalAccept(
  proposalId: string,
  body: { id: string; base_revision: number; mode: ProposalMode; session: string },
): Promise<ProposalAccepted> {
  return unwrap(client.POST("/api/proposals/{proposal_id}/accept", { params: { path: { proposal_id: proposalId } }, body }));
}

export async function proposalDismiss(proposalId: string): Promise<void> {
  await unwrap(client.POST("/api/proposals/{proposal_id}/dismiss", { params: { path: { proposal_id: proposalId } } }));
}
