/** One file, one request. XMLHttpRequest because fetch reports no upload progress. */
import { writeHeaders } from "./client";
import { apiErrorFrom, OfflineError } from "./errors";
import type { Image } from "./types";

export interface UploadOptions {
  onProgress: (fraction: number) => void;
  signal: AbortSignal;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** The answer to a 201 as it came; the caller names its type. */
export function fileUpload<Answer>(address: string, file: File, { onProgress, signal }: UploadOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(writeHeaders())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status === 201) resolve(body as Answer);
      else reject(apiErrorFrom(request.status, body, request.getResponseHeader("Retry-After")));
    };
    request.onerror = () => reject(new OfflineError());
    request.onabort = () => reject(new DOMException("Upload stopped.", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", abort);
    if (signal.aborted) return reject(new DOMException("Upload stopped.", "AbortError"));
    signal.addEventListener("abort", abort);
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  });
}

export function imageUpload(projectId: string, file: File, options: UploadOptions): Promise<Image> {
  return fileUpload(`/api/projects/${encodeURIComponent(projectId)}/images`, file, options);
}
