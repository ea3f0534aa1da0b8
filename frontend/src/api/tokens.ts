import { client, unwrap } from "./client";
import type { Token, TokenCreated } from "./types";

export function tokenList(): Promise<Token[]> {
  return unwrap(client.GET("/api/tokens"));
}

/** The token's text is in this answer and nowhere else, ever again. */
export function tokenCreate(name: string): Promise<TokenCreated> {
  return unwrap(client.POST("/api/tokens", { body: { name } }));
}

export async function tokenDelete(id: string): Promise<void> {
  await unwrap(client.DELETE("/api/tokens/{token_id}", { params: { path: { token_id: id } } }));
}
