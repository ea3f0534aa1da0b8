import { ActionIcon, UnstyledButton } from "@mantine/core";
import { IconAlertOctagon, IconCheck, IconFile, IconX } from "@tabler/icons-react";

import { bytes, counted, percent, whole } from "../format";
import { summarize, type UploadItem, type UploadQueue } from "./queue";
import styles from "./upload.module.css";
import { useUploadItems } from "./UploadQueues";

/** Rows for waiting files past this many add nothing: they are counted instead. */
const WAITING_ROWS = 3;

/** The file and what is wrong stand together; what follows explains. */
function sentences(error: string): [first: string, rest: string] {
  const end = error.search(/[.!] \S/);
  return end < 0 ? [error, ""] : [error.slice(0, end), error.slice(end + 2)];
}

function FailedRow({ item, queue }: { item: UploadItem; queue: UploadQueue }) {
  const [first, rest] = sentences(item.error);
  return (
    <li className={styles.failed} role="alert" data-testid="upload-error" data-name={item.name}>
      <IconAlertOctagon size={16} stroke={1.5} aria-hidden />
      <div className="grow">
        <b>
          {item.name}: {first}
        </b>
        {rest && <p>{rest}</p>}
        <div className={styles.acts}>
          <UnstyledButton onClick={() => queue.retry(item.id)}>Upload again</UnstyledButton>
          <UnstyledButton onClick={() => queue.dismiss(item.id)}>Dismiss</UnstyledButton>
        </div>
      </div>
    </li>
  );
}

function OpenRow({ item, queue }: { item: UploadItem; queue: UploadQueue }) {
  return (
    <li className={styles.row}>
      <IconFile size={16} stroke={1.5} aria-hidden />
      <div className="grow">
        <div className={styles.line}>
          <span className="ellipsis grow">{item.name}</span>
          <span className="t2">{item.state === "sending" ? percent(item.sent) : bytes(item.size)}</span>
        </div>
        <div className={styles.progress} role="progressbar" aria-label={`Uploading ${item.name}`} aria-valuenow={Math.round(item.sent * 100)}>
          <i style={{ width: `${item.sent * 100}%` }} />
        </div>
      </div>
      <ActionIcon aria-label={`Stop uploading ${item.name}`} onClick={() => queue.dismiss(item.id)}>
        <IconX size={14} />
      </ActionIcon>
    </li>
  );
}

function AddedRow({ items }: { items: readonly UploadItem[] }) {
  const last = items[items.length - 1];
  const size = items.reduce((sum, item) => sum + item.size, 0);
  const others = items.length - 1;
  return (
    <li className={styles.row}>
      <IconCheck size={16} stroke={1.8} className={styles.tick} aria-hidden />
      <div className="grow">
        <div className={styles.line}>
          <span className="ellipsis grow">{last.name}</span>
          <span className="t2">{bytes(size)}</span>
        </div>
        <p className="small t2">Added.{others > 0 && ` ${counted(others, "other", "others")} added.`}</p>
      </div>
    </li>
  );
}

/** However many were refused, what stands below this list stays in reach: the list scrolls by itself. */
function Refused({ items, queue }: { items: readonly UploadItem[]; queue: UploadQueue }) {
  return (
    <>
      {items.length > 1 && (
        <div className={styles.all}>
          <span className="grow">{whole(items.length)} not added</span>
          <UnstyledButton onClick={() => items.forEach((item) => queue.retry(item.id))}>Upload all again</UnstyledButton>
          <UnstyledButton onClick={() => items.forEach((item) => queue.dismiss(item.id))}>Dismiss all</UnstyledButton>
        </div>
      )}
      <ul className={styles.refused} data-testid="refused" aria-label="Files that were not added" tabIndex={0}>
        {items.map((item) => (
          <FailedRow key={item.id} item={item} queue={queue} />
        ))}
      </ul>
    </>
  );
}

export function UploadPanel({ queue }: { queue: UploadQueue }) {
  const items = useUploadItems(queue);
  if (items.length === 0) return null;
  const { done, total, open } = summarize(items);
  const added = items.filter((item) => item.state === "added");
  const failed = items.filter((item) => item.state === "failed");
  const sending = items.filter((item) => item.state === "sending");
  const waiting = items.filter((item) => item.state === "waiting");
  return (
    <section aria-label="Uploads" data-testid="uploads">
      <div className={styles.title}>
        <h2>{open > 0 ? "Uploading" : added.length > 0 ? "Uploaded" : "Not uploaded"}</h2>
        <span className="grow" />
        <span className="small t2" role="status">
          {open > 0 ? `${whole(done)} of ${whole(total)} done` : counted(added.length > 0 ? added.length : failed.length, "file")}
        </span>
        {open === 0 && added.length > 0 && (
          <ActionIcon aria-label="Clear the list of uploaded files" onClick={queue.clearAdded}>
            <IconX size={14} />
          </ActionIcon>
        )}
      </div>
      <ul>
        {added.length > 0 && <AddedRow items={added} />}
        {[...sending, ...waiting.slice(0, WAITING_ROWS)].map((item) => (
          <OpenRow key={item.id} item={item} queue={queue} />
        ))}
        {waiting.length > WAITING_ROWS && <li className={styles.rest}>{counted(waiting.length - WAITING_ROWS, "more file waits", "more files wait")}</li>}
      </ul>
      {failed.length > 0 && <Refused items={failed} queue={queue} />}
    </section>
  );
}
