/** What the server said no to: a stable code for programs, a sentence for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Seconds the server asked us to wait, where it did. */
  readonly retryAfter: number | null;

  constructor(status: number, body: Readonly<Record<string, unknown>>, retryAfter: number | null = null) {
    super(typeof body.detail === "string" ? body.detail : `The server answered ${status}.`);
    this.name = "ApiError";
    this.status = status;
    this.code = typeof body.code === "string" ? body.code : `http_${status}`;
    this.body = body;
    this.retryAfter = retryAfter;
  }
}

/** The server could not be reached at all: nothing was decided, so a retry is safe. */
export class OfflineError extends Error {
  constructor() {
    super("The server cannot be reached.");
    this.name = "OfflineError";
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** A body that is not JSON (a proxy's page, an empty 502) still becomes an error with its status. */
export function apiErrorFrom(status: number, body: unknown, retryAfter: string | null = null): ApiError {
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new ApiError(status, record(body), Number.isFinite(seconds) ? seconds : null);
}

/** One sentence for a person, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error && error.message ? error.message : "Something went wrong.";
}

export function isStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status);
}
