import { isStatus, messageOf, OfflineError } from "../../api/errors";
import { Notice } from "./Notice";
import { NotFound } from "./NotFound";

interface Props {
  error: unknown;
  what: string;
  retry?: () => void;
}

/** A request that failed, as a page: not there, not allowed, not reachable, or the server's own sentence. */
export function Failure({ error, what, retry }: Props) {
  const action = retry ? { label: "Try again", run: retry } : undefined;
  if (error instanceof OfflineError) {
    return <Notice tone="offline" title="The server cannot be reached" detail="What it has confirmed is safe. Check the connection." action={action} />;
  }
  if (isStatus(error, 404)) return <NotFound />;
  if (isStatus(error, 403)) {
    return <Notice tone="locked" title="Your role does not allow this" detail={messageOf(error)} />;
  }
  return <Notice tone="error" title={`Loading ${what} failed`} detail={messageOf(error)} action={action} />;
}
