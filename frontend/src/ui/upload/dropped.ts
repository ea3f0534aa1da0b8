/** The files of a drop, folders opened. */
function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

async function filesIn(directory: FileSystemDirectoryEntry): Promise<File[]> {
  const reader = directory.createReader();
  const found: File[] = [];
  // A reader hands out at most 100 entries at a time and an empty list at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return found;
    for (const entry of entries) found.push(...(await filesOf(entry)));
  }
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.name.startsWith(".")) return [];
  return isFile(entry) ? [await fileOf(entry)] : filesIn(entry as FileSystemDirectoryEntry);
}

export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  // The item list empties as soon as the event handler returns: take the entries before the first await.
  const entries = Array.from(transfer.items, (item) => (item.kind === "file" ? item.webkitGetAsEntry() : null));
  const plain = Array.from(transfer.files);
  const known = entries.filter((entry) => entry !== null);
  if (known.length === 0) return plain;
  const files: File[] = [];
  for (const entry of known) files.push(...(await filesOf(entry)));
  return files;
}

export function carriesFiles(transfer: DataTransfer | null): boolean {
  return transfer !== null && Array.from(transfer.types).includes("Files");
}
